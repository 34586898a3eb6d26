// SPDX-License-Identifier: Apache-2.0
//
// CPUs through LLVM: the phases of a kernel, and object code.

#include "compiler/target/cpu/CpuTarget.h"

#include "compiler/target/cpu/ContractSchedule.h"
#include "compiler/target/cpu/Processor.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;

namespace burin {
namespace {

/// What runs on @kernels, phase by phase, as burin-opt would take it. LEVEL is v3, v4 or neon.
struct CpuPhase {
  const char *name;
  const char *passes;
};

constexpr CpuPhase cpuPhases[] = {
    // Tensors to buffers. Tiling comes first: bufferization must see the final slices.
    // The verifier comes while copies and contractions are still single ops.
    {"schedule", "schedule-kernels,verify-kernels"},
    // Structured ops to loops over vectors. The ABI follows, because contractions
    // bring their own task grid; then what is left of linalg. What looks at one kernel alone does so
    // side by side (func.func(...)).
    {"vector", "func.func(lower-kern,"
               "expand-contract{vector-level=LEVEL},"
               "vectorize-linalg,"
               "convert-linalg-to-loops),"
               "kernel-abi,"
               "func.func(expand-math,"
               "canonicalize,cse)"},
    // Everything to the LLVM dialect. Strided metadata before affine, since it makes
    // affine maps; scf before cf; casts last.
    {"llvm", "func.func(convert-vector-to-scf,"
             "expand-strided-metadata,"
             "lower-affine,"
             "convert-scf-to-cf,"
             "arith-expand{include-bf16=true},"
             "convert-math-to-llvm,"
             "convert-vector-to-llvm),"
             "finalize-memref-to-llvm,"
             "func.func(convert-index-to-llvm,"
             "convert-arith-to-llvm),"
             "convert-cf-to-llvm,"
             "func.func(convert-complex-to-llvm),"
             "convert-func-to-llvm,"
             "llvm.func(convert-ub-to-llvm,"
             "reconcile-unrealized-casts,"
             "canonicalize,cse)"},
};

class CpuTarget : public Target {
public:
  explicit CpuTarget(cpu::Processor processor) : processor(std::move(processor)) {}

  std::string name() const override { return processor.name; }
  Architecture architecture() const override { return processor.architecture; }
  uint64_t features() const override { return processor.features; }

  std::string checkSchedule(const ScheduleNumbers &numbers) const override {
    if (cpu::scheduleOf(*cpu::findLevel(processor.vectorLevel), numbers))
      return "";
    return "a schedule is [rows and panels of a register tile, rows and panels of a task in whole tiles, 1 where rows "
           "are the inner loop of tasks, 1 where K blocks are that of a task], within what the registers hold";
  }
  std::vector<Phase> phases() const override {
    std::vector<Phase> result;
    for (const CpuPhase &phase : cpuPhases) {
      std::string text = phase.passes;
      if (size_t at = text.find("LEVEL"); at != std::string::npos)
        text.replace(at, 5, processor.vectorLevel);
      result.push_back({phase.name, [passes = text](OpPassManager &manager) {
                          if (failed(parsePassPipeline(passes, manager, llvm::errs())))
                            llvm::report_fatal_error("the CPU pipeline names an unknown pass");
                        }});
    }
    return result;
  }

  llvm::Expected<std::vector<Object>> emitKernels(ModuleOp kernels) const override;
  llvm::Expected<Object> emitModule(llvm::Module &module) const override;

private:
  cpu::Processor processor;
};

/// Kernels per object: enough to use all cores, few enough to amortise a module.
constexpr size_t kernelsPerObject = 4;

llvm::Expected<std::vector<Object>> CpuTarget::emitKernels(ModuleOp kernels) const {
  // Split into modules of a few kernels, translated one after the other (a context each),
  // then compiled side by side. The split depends on the order alone, so bytes do too.
  std::vector<LLVM::LLVMFuncOp> functions;
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      functions.push_back(function);
  size_t count = llvm::divideCeil(functions.size(), kernelsPerObject);
  std::vector<Object> objects(count);
  std::vector<std::string> errors(count);
  std::vector<OwningOpRef<ModuleOp>> parts(count);
  for (size_t i = 0; i < count; ++i) {
    parts[i] = ModuleOp::create(kernels.getLoc());
    OpBuilder builder = OpBuilder::atBlockBegin(parts[i]->getBody());
    for (Operation &op : kernels.getBody()->getOperations())
      if (auto other = dyn_cast<LLVM::LLVMFuncOp>(op); !other || other.isExternal())
        builder.clone(op);
    for (size_t k = i * kernelsPerObject;
         k < std::min(functions.size(), (i + 1) * kernelsPerObject); ++k)
      builder.clone(*functions[k]);
  }
  llvm::parallelFor(0, count, [&](size_t i) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> module =
        translateModuleToLLVMIR(*parts[i], context, "kernels" + std::to_string(i));
    if (!module) {
      errors[i] = "translation to LLVM IR failed";
      return;
    }
    for (llvm::Function &function : *module)
      if (!function.isDeclaration())
        function.setVisibility(llvm::GlobalValue::HiddenVisibility);
    llvm::Expected<Object> object = emitModule(*module);
    if (object)
      objects[i] = std::move(*object);
    else
      errors[i] = llvm::toString(object.takeError());
  });
  for (const std::string &error : errors)
    if (!error.empty())
      return llvm::createStringError(error);
  return objects;
}

llvm::Expected<Object> CpuTarget::emitModule(llvm::Module &module) const {
  std::unique_ptr<llvm::TargetMachine> machine = processor.makeMachine();
  module.setTargetTriple(processor.triple);
  module.setDataLayout(machine->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  processor.mark(module);
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr(llvm::Attribute::NoUnwind);

  // No C library but the block moves: what the artifact may call is listed in
  // runtime/libc-symbols.txt.
  llvm::TargetLibraryInfoImpl library(processor.triple);
  library.disableAllFunctions();
  for (llvm::LibFunc function :
       {llvm::LibFunc_memcpy, llvm::LibFunc_memset, llvm::LibFunc_memmove})
    library.setAvailable(function);

  llvm::PassBuilder passes(machine.get());
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(graph);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, graph, modules);
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);

  Object object;
  object.name = module.getName().str();
  llvm::raw_svector_ostream stream(object.bytes);
  llvm::legacy::PassManager codegen;
  codegen.add(new llvm::TargetLibraryInfoWrapperPass(library));
  if (machine->addPassesToEmitFile(codegen, stream, nullptr,
                                   llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("LLVM cannot write object files for " + processor.triple.str());
  codegen.run(module);
  return object;
}

} // namespace

llvm::Expected<std::unique_ptr<Target>> makeCpuTarget(llvm::StringRef cpu) {
  llvm::Expected<cpu::Processor> processor = cpu::findProcessor(cpu);
  if (!processor)
    return processor.takeError();
  return std::make_unique<CpuTarget>(std::move(*processor));
}

} // namespace burin
