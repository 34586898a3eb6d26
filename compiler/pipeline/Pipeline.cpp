// SPDX-License-Identifier: Apache-2.0
//
// The compile at a glance: modelPhases, programPhases and the target's are the whole way down, in
// order. Every phase can be dumped and stopped after; each ends with MLIR's verifier and leaves IR
// that burin-opt reads. docs/architecture.md says what holds between them.

#include "compiler/pipeline/Pipeline.h"

#include "compiler/emit/Artifact.h"
#include "compiler/import/Schema.h"
#include "compiler/import/Weights.h"
#include "compiler/lower/Lowering.h"
#include "compiler/pipeline/Batch.h"
#include "compiler/pipeline/Certificate.h"
#include "compiler/pipeline/Dump.h"
#include "compiler/pipeline/Levels.h"
#include "compiler/pipeline/OpenDims.h"
#include "compiler/pipeline/Output.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/pipeline/States.h"
#include "compiler/target/Target.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/PromoteFloats.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir;

namespace burin {

std::vector<Phase> modelPhases(const CompileOptions &options) {
  return {
      {"model",
       [](OpPassManager &pm) {
         pm.addPass(createInferShapes());
         // Dead weights and unused branches go before anything looks at cost.
         pm.addPass(createCanonicalizerPass());
         // Recognisers ask who else reads a value: equal ops must be one.
         pm.addPass(createCSEPass());
         pm.addPass(createRecognizeNormalizations());
         pm.addPass(createRecognizeActivations());
         pm.addPass(createRecognizeRotary());
         // Before scales go into weights: those of queries and keys are the attention's.
         pm.addPass(createRecognizeAttention());
         // Behind the recognisers, which know arithmetic as exporters write it.
         pm.addPass(createPushTransposes());
         pm.addPass(createFoldScales());
         // Behind scales, which would stand between convolutions.
         pm.addPass(createPushStrides());
         pm.addPass(createMergeMatMuls());
         // The tables that each layer's rotation rebuilt are equal.
         pm.addPass(createCSEPass());
       }},
      {"maths",
       [winograd = options.winograd, bf16 = options.bf16Weights](OpPassManager &pm) {
         pm.addPass(createLowerOnnx({winograd, bf16}));
         pm.addPass(createResolveSizes());
         // Before canonicalization, which takes a size for fixed where one of its loop's is.
         pm.addPass(createAgreeSizes());
         pm.addPass(createCanonicalizerPass());
         pm.addPass(createCSEPass());
         // Equal sizes are one value now; nothing has fused with what is put behind a state.
         pm.addPass(createBindStates());
       }},
      {"group",
       [](OpPassManager &pm) {
         // Before unit dims go, transposes stand next to the contractions they feed.
         pm.addPass(createFoldTransposes());
         pm.addPass(createFoldEpilogues());
         // Unit dims hide that two ops walk the same rows: fold them first.
         pm.addPass(createFoldUnitDims());
         // Contractions take their bias and activation before generics fuse past them.
         pm.addPass(createFoldEpilogues());
         // Who only asks for a tensor's sizes is none of its readers.
         pm.addPass(createResolveSizes());
         pm.addPass(createFuseElementwise());
         pm.addPass(createFoldEpilogues());
         pm.addPass(createCanonicalizerPass());
         // Equal ops are one op before dispatches hide them, which take sizes as operands.
         pm.addPass(createResolveSizes());
         pm.addPass(createCSEPass());
         pm.addPass(createFormDispatches());
         pm.addPass(createResolveSizes());
         pm.addPass(createCanonicalizerPass());
         pm.addPass(createCSEPass());
       }},
  };
}

std::vector<Phase> programPhases(const CompileOptions &options,
                                 std::optional<uint64_t> activationBytes) {
  return {
      {"plan",
       [purpose = options.purpose, shardBytes = options.shardBytes,
        oneThreadBelow = options.oneThreadBelow, activationBytes](OpPassManager &pm) {
         // Deduplication comes before scheduling: a kernel is scheduled once.
         pm.addPass(createOutlineKernels());
         if (purpose == Purpose::KernelResults)
           pm.addPass(createKeepKernelResults());
         pm.addPass(createJoinInPlace());
         if (activationBytes) // launches are what runs again, and the plan is of all of them
           pm.addPass(createRematerialize({*activationBytes}));
         // What lives when is decided with groups as moments.
         pm.addPass(createGroupLaunches({oneThreadBelow, oneThreadBelow / 100}));
         pm.addPass(createPlanMemory({shardBytes}));
         // What is in memory and what in a cache decides how long a launch takes.
         pm.addPass(createBoundThreads({oneThreadBelow, oneThreadBelow / 100}));
       }},
  };
}

LogicalResult inferAndCheckTypes(ModuleOp module, llvm::function_ref<void(PassManager &)> watch) {
  PassManager manager(module.getContext());
  if (watch)
    watch(manager);
  manager.addPass(createInferShapes());
  return success(succeeded(manager.run(module)) && succeeded(checkOperandTypes(module)));
}

ImportOptions importOptions(const CompileOptions &options) {
  ImportOptions import = options.import;
  import.hasLowering = [](llvm::StringRef name) { return lower::ruleTable().find(name); };
  return import;
}

namespace {

/// Between `model` and `maths`; no pass, since it needs the bytes of weights.
constexpr const char *constantsPhase = "constants";
/// A value that was computed may let another be: seldom twice.
constexpr unsigned maxRounds = 4;

class Compile {
public:
  explicit Compile(const CompileOptions &options) : options(options) {}

  CompileResult run() {
    result.code = go();
    if (result.code != ExitCode::Ok &&
        llvm::none_of(result.messages, [](const Message &m) { return m.isError; }))
      fail(ExitCode::Internal, "the compile stopped without saying why");
    return std::move(result);
  }

private:
  ExitCode go() {
    llvm::Expected<std::vector<Level>> made = makeLevels(options.target, options.cpu);
    if (!made)
      return fail(ExitCode::BadInput, llvm::toString(made.takeError()));
    levels = std::move(*made);
    if (options.tuning)
      if (llvm::Error error = options.tuning->check(levels))
        return fail(ExitCode::BadInput, "--tuning-db: " + llvm::toString(std::move(error)));
    result.target = targetsOf(levels);
    std::vector<std::vector<Phase>> lower; // by level: the same phases
    for (const Level &level : levels)
      lower.push_back(level.target->phases());
    if (!options.compileTo.empty() && !llvm::is_contained(phaseNames(options.target), options.compileTo))
      return fail(ExitCode::BadInput, "unknown phase '" + options.compileTo + "'; there are: " +
                                          llvm::join(phaseNames(options.target), ", "));
    total = 2 + modelPhases(options).size() + programPhases(options).size() + lower.front().size() + 2;
    std::vector<VariantDims> variants = variantsOf(options.dims);
    if (variants.empty())
      return fail(ExitCode::BadInput, "--dim asks for more than " + llvm::Twine(maxVariants) +
                                          " combinations of sizes");

    DialectRegistry registry;
    registerDialects(registry);
    MLIRContext context(registry);
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      note(diagnostic);
      return success();
    });
    context.loadAllAvailableDialects();

    WeightStore weights;
    std::vector<OwningOpRef<ModuleOp>> walked(variants.size());
    std::optional<ExitCode> stopped;
    for (size_t i = 0; i < variants.size(); ++i) {
      // The one that takes most goes first where there are states: the others' have the same room.
      size_t at = options.states.empty() ? i : variants.size() - 1 - i;
      index = 0;
      variant = variants.size() == 1 ? "" : nameOf(variants[at], options.dims);
      ModuleOp largest = options.states.empty() || i == 0 ? ModuleOp() : *walked.back();
      stopped = walkDown(context, variants[at], weights, walked[at], largest);
      if (stopped && *stopped != ExitCode::Ok)
        return *stopped;
      if (variants.size() > 1)
        markVariant(*walked[at], variants[at], options.dims);
      if (largest && failed(checkSharedStates(*walked[at], largest)))
        return ExitCode::BadInput;
    }
    OwningOpRef<ModuleOp> module = std::move(walked.front());
    for (OwningOpRef<ModuleOp> &other : llvm::drop_begin(walked))
      addVariant(*module, *other);
    if (stopped)
      return *stopped;
    variant.clear();
    std::future<std::vector<Provenance::File>> files = hashFiles(options.model, weights);
    BatchReport batch = findBatch(*module, options, importOptions(options));
    if (batch.batch)
      (*module)->setAttr(plan::batchAttrName, batch.batch);
    serialReason = batch.reason;

    // Scratch is known once kernels have their code: what is planned again then begins here.
    OwningOpRef<ModuleOp> grouped(options.maxMemory ? module->clone() : ModuleOp());
    if (std::optional<ExitCode> code = makeProgram(*module, programPhases(options)))
      return *code;

    if (options.cost)
      result.programs = costOf(*module);

    // Each level has kernels of its own from here on; all have the same phases.
    separateLevels(levels, module->lookupSymbol<ModuleOp>(plan::kernelModuleName));
    if (options.tuning)
      options.tuning->applyTo(levels);
    for (size_t at = 0; at < lower.front().size(); ++at) {
      begin(lower.front()[at].name);
      for (auto [level, phases] : llvm::zip_equal(levels, lower)) {
        PassManager manager(&context, ModuleOp::getOperationName());
        watch(manager);
        phases[at].addPasses(manager);
        if (failed(manager.run(level.kernels)))
          return stop(phase);
      }
      if (std::optional<ExitCode> code = end(*module))
        return *code;
    }
    if (options.tuning)
      result.tunables = tunablesOf(levels.back());
    if (grouped)
      if (std::optional<ExitCode> code = fitMemory(*module, *grouped))
        return *code;
    return emit(*module, weights, files);
  }

  /// The phases on all variants together. A code where one failed, or where the user asked to stop.
  std::optional<ExitCode> makeProgram(ModuleOp module, const std::vector<Phase> &phases) {
    for (const Phase &phase : phases) {
      begin(phase.name);
      PassManager manager(module.getContext());
      watch(manager);
      phase.addPasses(manager);
      if (failed(manager.run(module)))
        return stop(phase.name);
      if (std::optional<ExitCode> code = end(module))
        return code;
    }
    return std::nullopt;
  }

  /// Where the arena is above the limit, main programs are planned again on `grouped`, the module before its plan,
  /// for as much as the limit leaves to tensors; kernels stay those that have their code.
  std::optional<ExitCode> fitMemory(ModuleOp module, ModuleOp grouped) {
    ProgramSummary summary = summarize(module, levels);
    result.summary.keptArenaBytes = summary.arenaBytes();
    uint64_t other = summary.arenaBytes() - summary.activationBytes;
    if (summary.arenaBytes() <= *options.maxMemory)
      return std::nullopt;
    std::vector<Phase> phases =
        programPhases(options, *options.maxMemory - std::min(*options.maxMemory, other));
    total += phases.size();
    if (std::optional<ExitCode> code = makeProgram(grouped, phases))
      return code;
    if (options.cost)
      result.programs = costOf(grouped);
    for (auto main : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      auto planned = grouped.lookupSymbol<func::FuncOp>(main.getName());
      planned->moveBefore(main);
      main.erase();
    }
    return std::nullopt;
  }

  Architecture architecture() const { return levels.front().target->architecture(); }

  /// One variant, from the file to dispatches. A code where that failed, or where the user asked
  /// to stop on the way.
  std::optional<ExitCode> walkDown(MLIRContext &context, const VariantDims &dims,
                                   WeightStore &weights, OwningOpRef<ModuleOp> &module, ModuleOp largest) {
    begin("import");
    ImportReport report;
    ImportOptions import = importOptions(options);
    import.dims = dims;
    FailureOr<OwningOpRef<ModuleOp>> imported =
        importOnnx(context, options.model, import, weights, report);
    if (failed(imported))
      return report.status == ImportStatus::internalError ? stop("import")
                                                          : exitCodeOf(report.status);
    module = std::move(*imported);
    if (failed(pairStates(*module, options.states)))
      return ExitCode::BadInput;
    if (std::optional<ExitCode> code = end(*module))
      return code;

    if (failed(checkOpenDims(*module)))
      return ExitCode::Unsupported;
    phase = modelPhases(options).front().name;
    if (failed(inferAndCheckTypes(*module, [&](PassManager &manager) { watch(manager); })))
      return ExitCode::BadInput;
    if (options.purpose == Purpose::Reference) {
      PassManager manager(&context);
      manager.addPass(createPromoteFloats(weights));
      manager.addPass(createInferShapes()); // which results have fixed sizes
      manager.addPass(createKeepNodeResults());
      if (failed(manager.run(*module)))
        return ExitCode::Unsupported;
    }

    for (const Phase &phase : modelPhases(options)) {
      begin(phase.name);
      PassManager manager(&context);
      watch(manager);
      phase.addPasses(manager);
      if (failed(manager.run(*module)))
        return stop(phase.name);
      if (std::optional<ExitCode> code = end(*module))
        return code;
      if (phase.name != "model")
        continue;
      if (failed(settleStates(*module, largest)))
        return ExitCode::BadInput;
      if (std::optional<ExitCode> code = computeConstants(*module, weights))
        return code;
    }
    return std::nullopt;
  }

  /// What depends on constants alone becomes constant, which may tell more of shapes and patterns.
  std::optional<ExitCode> computeConstants(ModuleOp module, WeightStore &weights) {
    begin(constantsPhase);
    unsigned programs = 0;
    auto show = [&](ModuleOp program) {
      if (!options.dumpDir.empty())
        (void)dump(program, "-program" + std::to_string(programs));
      ++programs;
    };
    // A reference computes node by node what its outputs ask for.
    for (unsigned round = 0; options.purpose != Purpose::Reference && round < maxRounds; ++round) {
      llvm::Expected<unsigned> computed =
          evaluateConstants(module, weights, options.constantsCpu, show);
      if (!computed)
        return fail(ExitCode::Failed, options.model + ": " + llvm::toString(computed.takeError()));
      if (!*computed)
        break;
      PassManager manager(module.getContext());
      watch(manager);
      modelPhases(options).front().addPasses(manager);
      if (failed(manager.run(module)))
        return ExitCode::Unsupported;
    }
    return end(module);
  }

  ExitCode emit(ModuleOp module, const WeightStore &weights,
                std::future<std::vector<Provenance::File>> &files) {
    uint64_t kept = result.summary.keptArenaBytes;
    result.summary = summarize(module, levels);
    result.summary.keptArenaBytes = kept;
    result.summary.serialReason = serialReason;
    if (options.maxMemory && result.summary.arenaBytes() > *options.maxMemory)
      return fail(ExitCode::Failed,
                  options.model + ": " + overMemory(result.summary, *options.maxMemory));
    begin("object");
    ProgramOptions program;
    program.modelName = symbolOf(options.output);
    program.compiler = "burin " BURIN_VERSION;
    if (llvm::Error error = checkTasks(module, levels))
      return fail(ExitCode::Unsupported, options.model + ": " + llvm::toString(std::move(error)));
    // Code reaches 2 GiB far, over the weights to its constants; all else needs room, too.
    constexpr uint64_t embedAtMost = (uint64_t(2) << 30) - (uint64_t(64) << 20);
    if (options.weights == "embed" && result.summary.weightsBytes > embedAtMost)
      return fail(ExitCode::Unsupported,
                  options.model + ": has " + std::to_string(result.summary.weightsBytes) +
                      " bytes of weights, more than an artifact can embed (" +
                      std::to_string(embedAtMost) +
                      "); give --weights FILE.safetensors, for files of their own");
    Provenance provenance{{}, rebuildCommand(options, levels)};
    result.command = provenance.command;
    // Weights are written while kernels get their code.
    std::future<llvm::Expected<ShardFiles>> written = std::async(std::launch::async, [&] {
      provenance.files = files.get();
      return writeShards(module, weights, options, program, provenance, result.summary);
    });
    llvm::Expected<std::vector<Object>> made = emitKernels();
    llvm::Expected<ShardFiles> shards = written.get();
    if (!made) {
      llvm::consumeError(shards.takeError());
      return fail(ExitCode::Internal, llvm::toString(made.takeError()));
    }
    if (!shards)
      return fail(ExitCode::Failed, llvm::toString(shards.takeError()));
    if (!result.summary.shards.empty()) {
      std::string path = ShardFiles::pathFor(options.weights, options.output);
      if (std::string advice = ShardFiles::adviceFor(path, options.output); !advice.empty())
        result.messages.push_back({advice, false});
    }
    std::vector<Object> &objects = *made;
    llvm::Expected<Object> main = emitProgram(module, levels, result.summary, program);
    if (!main)
      return fail(ExitCode::Internal, llvm::toString(main.takeError()));
    llvm::Expected<Footprint> footprint = footprintOf(objects, *main, architecture());
    if (!footprint)
      return fail(ExitCode::Internal, llvm::toString(footprint.takeError()));
    result.summary.codeBytes = footprint->codeBytes;
    result.summary.stackBytes = footprint->stackBytes;
    llvm::Expected<Object> text = emitText(
        *levels.front().target, certificateSymbol,
        certificate(module, levels, result.summary, provenance));
    if (!text)
      return fail(ExitCode::Internal, llvm::toString(text.takeError()));
    objects.insert(objects.begin(), std::move(*main));
    objects.push_back(std::move(*text));
    // A partial link would not notice, and the machine that runs it would.
    if (llvm::Error error = checkSymbols(objects, architecture()))
      return fail(ExitCode::Internal, llvm::toString(std::move(error)));
    finish();

    begin("link");
    llvm::Expected<TemporaryFolder> temporary = TemporaryFolder::make();
    if (!temporary)
      return fail(ExitCode::Failed, llvm::toString(temporary.takeError()));
    llvm::Error error = writeArtifact(objects, module, weights, options, program.modelName, result.summary,
                                      *levels.front().target, *temporary);
    if (!error)
      error = shards->commit();
    finish();
    if (error)
      return fail(ExitCode::Failed, llvm::toString(std::move(error)));
    return ExitCode::Ok;
  }

  /// Of all levels.
  llvm::Expected<std::vector<Object>> emitKernels() {
    std::vector<Object> objects;
    for (const Level &level : levels) {
      llvm::Expected<std::vector<Object>> made = level.target->emitKernels(level.kernels);
      if (!made)
        return made.takeError();
      for (Object &object : *made) {
        object.name += level.suffix;
        objects.push_back(std::move(object));
      }
    }
    if (llvm::Error error = readCode(objects))
      return std::move(error);
    return objects;
  }

  llvm::Error readCode(llvm::ArrayRef<Object> objects) {
    if (!options.cost)
      return llvm::Error::success();
    llvm::Expected<std::map<std::string, CodeMix>> code = codeMixOf(objects, architecture());
    if (!code)
      return code.takeError();
    llvm::StringRef suffix = levels.back().suffix;
    for (const auto &[name, mix] : *code)
      if (llvm::StringRef(name).ends_with(suffix))
        result.kernels[llvm::StringRef(name).drop_back(suffix.size()).str()] = mix;
    return llvm::Error::success();
  }

  //===- Phases -------------------------------------------------------------===//

  void begin(const std::string &name) {
    phase = name;
    ++index;
    started = std::chrono::steady_clock::now();
    if (options.progress)
      llvm::errs() << "[" << index << "/" << total << "] " << name
                   << (variant.empty() ? "" : " " + variant) << "\n";
  }

  /// Counts ops around each pass of the phase that begins, where the user asked to see them.
  void watch(PassManager &manager) {
    if (!options.dumpDir.empty())
      counts.watch(manager, phase + (variant.empty() ? "" : "-" + variant));
  }

  void finish() {
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    result.phaseSeconds.push_back({phase, seconds.count()});
  }

  /// Dumps, and stops where the user asked to.
  std::optional<ExitCode> end(ModuleOp module) {
    finish();
    if (!options.dumpDir.empty())
      if (llvm::Error error = dump(module))
        return fail(ExitCode::Failed, llvm::toString(std::move(error)));
    if (options.compileTo != phase)
      return std::nullopt;
    llvm::raw_string_ostream stream(result.module);
    if (!result.module.empty())
      stream << "// -----\n"; // the next variant
    printModule(module, stream);
    return ExitCode::Ok;
  }

  /// Writes a module to the file of the phase at work; `part` tells several apart.
  llvm::Error dump(ModuleOp module, const std::string &part = "") {
    return dumpModule(module, options.dumpDir,
                      (index < 10 ? "0" : "") + std::to_string(index) + "-" + phase +
                          (variant.empty() ? "" : "-" + variant) + part,
                      counts);
  }

  //===- Messages -----------------------------------------------------------===//

  ExitCode fail(ExitCode code, const llvm::Twine &text) {
    result.messages.push_back({text.str(), true});
    return code;
  }

  /// The end of a phase that failed.
  ExitCode stop(const std::string &where) {
    if (ExitCode code = exitCodeOf(where, tooLarge); code != ExitCode::Internal)
      return code;
    return fail(ExitCode::Internal,
                "the phase '" + where + "' failed: this is a bug of burin. Please report it with "
                                        "the model, the command line and the output of --dump-ir");
  }

  void note(Diagnostic &diagnostic) {
    tooLarge |= plan::saysTooLarge(diagnostic);
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error ||
        diagnostic.getSeverity() == DiagnosticSeverity::Warning)
      result.messages.push_back(messageOf(diagnostic, options.model));
  }

  const CompileOptions &options;
  CompileResult result;
  std::vector<Level> levels; // of instructions, the least first
  OpCounts counts;
  bool tooLarge = false;
  std::string serialReason; // why the requests of a batch run one after the other
  std::string phase, variant; // at work; the variant has a name only where there are several
  size_t index = 0, total = 0;
  std::chrono::steady_clock::time_point started;
};

} // namespace

CompileResult compile(const CompileOptions &options) {
  // MLIR's own passes are named in the targets' pipelines.
  static const bool registered = (registerPasses(), true);
  (void)registered;
  return Compile(options).run();
}

std::vector<std::string> phaseNames(llvm::StringRef target) {
  std::vector<std::string> names{"import"};
  for (const std::vector<Phase> &phases : {modelPhases({}), programPhases({})})
    for (const Phase &phase : phases)
      names.push_back(phase.name);
  names.insert(llvm::find(names, "model") + 1, constantsPhase);
  if (llvm::Expected<std::unique_ptr<Target>> made = makeTarget(target, "x86-64-v3")) {
    for (const Phase &phase : (*made)->phases())
      names.push_back(phase.name);
  } else {
    llvm::consumeError(made.takeError());
  }
  return names;
}

} // namespace burin
