// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Constants.h"

#include "burin/load.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/TemporaryFolder.h"
#include "compiler/import/Weights.h"
#include "compiler/lower/Lowering.h"
#include "compiler/pipeline/Pipeline.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ScopeExit.h"

#include <cstdlib>

using namespace mlir;

namespace burin {
namespace {

/// What a value may take although it is larger than what it is made from: tables, mostly.
constexpr uint64_t tableBytes = 1 << 20;
/// Scalar operations of one program: seconds of work at most, whatever a model asks for.
constexpr uint64_t mostWork = uint64_t(1) << 34;
/// Values up to this size are elements in the IR, so that shape arithmetic sees them.
constexpr uint64_t inlineBytes = 4096;

/// The bytes of a tensor in an artifact's interface; nothing for types without such a form.
std::optional<uint64_t> bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isIntOrFloat())
    return std::nullopt;
  unsigned bits = tensor.getElementTypeBitWidth();
  if (bits != 1 && bits % 8) // 2 and 4 bits are packed in a model's file
    return std::nullopt;
  int64_t bytes = std::max(bits / 8, 1u);
  for (int64_t size : tensor.getShape())
    if (llvm::MulOverflow(bytes, size, bytes))
      return std::nullopt;
  return uint64_t(bytes);
}

bool isConstant(Operation *op) { return isa<onnx::ConstantOp, onnx::NoneOp>(op); }

/// Ops that the layout of a weight says, without a copy at compile time.
bool onlyMoves(Operation *op) {
  return isa<onnx::TransposeOp, onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp,
             onnx::FlattenOp, onnx::IdentityOp>(op);
}

/// Whether an op gives the same whenever it is asked, and that is worth keeping.
bool canEvaluate(Operation *op) {
  if (!isa<onnx::OnnxOpInterface>(op) || isConstant(op) || op->getNumRegions() != 0 ||
      !lower::ruleTable().find(op->getName().getStringRef()))
    return false;
  StringRef name = op->getName().stripDialect();
  if (name.starts_with("Random") || name == "Multinomial" || name == "Bernoulli" ||
      name == "DequantizeLinear") // small weights stay small
    return false;
  uint64_t read = 0;
  for (Value operand : op->getOperands()) {
    if (isa<NoneType>(operand.getType()))
      continue;
    std::optional<uint64_t> bytes = bytesOf(operand.getType());
    if (!bytes)
      return false;
    read += *bytes;
  }
  return llvm::all_of(op->getResults(), [&](Value result) {
    if (result.use_empty() || isa<NoneType>(result.getType()))
      return true;
    std::optional<uint64_t> bytes = bytesOf(result.getType());
    return bytes && *bytes <= std::max(read, tableBytes);
  });
}

/// About how many scalar operations an op takes; nothing for families that can take any number for
/// each element.
std::optional<uint64_t> workOf(Operation *op) {
  StringRef family = cast<onnx::OnnxOpInterface>(op).getFamily();
  if (family == "window" || family == "signal" || family == "recurrent" || family == "attention")
    return std::nullopt;
  uint64_t work = 0, depth = 1;
  for (Value value : llvm::concat<Value>(SmallVector<Value>(op->getOperands()),
                                         SmallVector<Value>(op->getResults())))
    work += bytesOf(value.getType()).value_or(0);
  if (family == "contraction") {
    if (!isa<onnx::MatMulOp, onnx::GemmOp>(op))
      return std::nullopt;
    for (int64_t size : cast<RankedTensorType>(op->getOperand(0).getType()).getShape())
      depth = std::max(depth, uint64_t(size));
  }
  return llvm::SaturatingMultiply(work, depth);
}

/// Values up to which no wrong node hides the others: a program that fails is tried in halves.
constexpr unsigned mostPrograms = 64;

bool isMovedWeight(Value value) {
  Operation *op = value.getDefiningOp();
  while (onlyMoves(op))
    op = op->getOperand(0).getDefiningOp();
  return isConstant(op);
}

/// The values to compute, in the order of the program.
SmallVector<Value> findConstants(func::FuncOp main) {
  llvm::DenseSet<Operation *> known;
  uint64_t work = 0;
  for (Operation &op : main.getBody().front()) {
    if (isConstant(&op)) {
      known.insert(&op);
    } else if (canEvaluate(&op) && llvm::all_of(op.getOperands(), [&](Value operand) {
                 return known.contains(operand.getDefiningOp());
               })) {
      std::optional<uint64_t> more = workOf(&op);
      uint64_t sum = more ? llvm::SaturatingAdd(work, *more) : UINT64_MAX;
      if (sum > mostWork)
        continue;
      work = sum;
      known.insert(&op);
    }
  }
  SmallVector<Value> wanted;
  for (Operation &op : main.getBody().front()) {
    if (!known.contains(&op) || isConstant(&op))
      continue;
    for (Value result : op.getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !known.contains(user); }) &&
          !isMovedWeight(result))
        wanted.push_back(result);
  }
  return wanted;
}

/// Some values, and the program that computes them.
class Evaluation {
public:
  Evaluation(func::FuncOp main, WeightStore &weights, ArrayRef<Value> wanted)
      : main(main), weights(weights), wanted(wanted) {}

  /// The program: weights are its inputs, the values its outputs.
  OwningOpRef<ModuleOp> build() {
    llvm::SetVector<Operation *> needed;
    for (Value value : wanted)
      collect(value.getDefiningOp(), needed);
    OwningOpRef<ModuleOp> module = ModuleOp::create(main.getLoc());
    OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
    auto program =
        func::FuncOp::create(builder, main.getLoc(), "main", builder.getFunctionType({}, {}));
    Block *entry = program.addEntryBlock();
    builder.setInsertionPointToEnd(entry);
    IRMapping mapping;
    for (Operation *op : needed) {
      auto constant = dyn_cast<onnx::ConstantOp>(op);
      auto weight = constant ? dyn_cast<plan::WeightAttr>(constant.getValue()) : nullptr;
      if (weight) {
        mapping.map(op->getResult(0), entry->addArgument(op->getResult(0).getType(), op->getLoc()));
        inputs.push_back(weight);
      } else {
        builder.clone(*op, mapping);
      }
    }
    SmallVector<Value> results;
    for (Value value : wanted)
      results.push_back(mapping.lookup(value));
    func::ReturnOp::create(builder, main.getLoc(), results);
    program.setFunctionType(
        builder.getFunctionType(entry->getArgumentTypes(), ValueRange(results).getTypes()));
    return module;
  }

  /// Runs an artifact of the program. False where its data are at fault.
  llvm::Expected<bool> run(const std::string &artifact) {
    burin_library *library = nullptr;
    const burin_model *model = nullptr;
    char why[512] = "";
    if (burin_load(artifact.c_str(), nullptr, &library, &model, why, sizeof why))
      return atFault(why);
    auto close = llvm::make_scope_exit([&] { burin_unload(library); });
    std::vector<std::vector<char>> copies; // of what a file has at an odd address
    std::vector<burin_tensor> in, out;
    for (plan::WeightAttr weight : inputs) {
      auto bytes =
          weights.bytes(weight.getSegment().getValue(), weight.getOffset(), weight.getLength());
      if (!bytes || weight.getLayout())
        return false;
      const char *data = bytes->data();
      if (reinterpret_cast<uintptr_t>(data) % alignof(std::max_align_t)) {
        copies.emplace_back(bytes->begin(), bytes->end());
        data = copies.back().data();
      }
      burin_tensor tensor = BURIN_ZERO;
      tensor.data = const_cast<char *>(data);
      tensor.bytes = bytes->size();
      in.push_back(tensor);
    }
    results.clear();
    results.reserve(wanted.size()); // pointers into them stay
    for (Value value : wanted) {
      results.emplace_back(*bytesOf(value.getType()), '\0');
      burin_tensor tensor = BURIN_ZERO;
      tensor.data = results.back().data();
      tensor.bytes = results.back().size();
      out.push_back(tensor);
    }
    burin_memory need;
    if (model->memory(model, 1, &need))
      return false;
    std::unique_ptr<void, decltype(&std::free)> arena(
        std::aligned_alloc(need.alignment, llvm::alignTo(need.bytes, need.alignment)), &std::free);
    if (!arena)
      return atFault("no memory for " + llvm::Twine(need.bytes) + " bytes");
    burin_options options = BURIN_ZERO;
    options.arena = arena.get();
    options.arena_bytes = need.bytes;
    options.log = [](void *user, burin_status, const char *text) {
      *static_cast<std::string *>(user) = text;
    };
    std::string said;
    options.user = &said;
    burin_context *context = nullptr;
    if (model->create(model, &options, &context))
      return atFault(said);
    burin_status status =
        model->run(context, in.data(), uint32_t(in.size()), out.data(), uint32_t(out.size()));
    model->destroy(context);
    return status == BURIN_OK;
  }

  /// Puts the results in the place of the values.
  void replace() {
    for (auto [at, bytes] : llvm::enumerate(results)) {
      Value value = wanted[at];
      OpBuilder builder(value.getDefiningOp());
      auto type = cast<RankedTensorType>(value.getType());
      value.replaceAllUsesWith(onnx::ConstantOp::create(builder, value.getLoc(), type,
                                                        constantOf(type, std::move(bytes))));
    }
  }

private:
  static llvm::Error atFault(const llvm::Twine &what) {
    return llvm::createStringError("the model's constants cannot be computed: " + what);
  }

  void collect(Operation *op, llvm::SetVector<Operation *> &needed) {
    SmallVector<std::pair<Operation *, bool>> todo{{op, false}}; // chains may be long: no recursion
    while (!todo.empty()) {
      auto [next, isReady] = todo.pop_back_val();
      if (needed.contains(next))
        continue;
      if (isReady) {
        needed.insert(next);
        continue;
      }
      todo.push_back({next, true});
      for (Value operand : next->getOperands())
        todo.push_back({operand.getDefiningOp(), false});
    }
  }

  TypedAttr constantOf(RankedTensorType type, std::string bytes) {
    if (bytes.size() > inlineBytes) {
      WeightStore::Location where = weights.addOwned(std::move(bytes));
      return plan::WeightAttr::get(type.getContext(), type,
                                   StringAttr::get(type.getContext(), where.segment), where.offset,
                                   where.length, plan::LayoutAttr());
    }
    if (!type.getElementType().isInteger(1))
      return cast<TypedAttr>(
          DenseElementsAttr::getFromRawBuffer(type, ArrayRef(bytes.data(), bytes.size())));
    SmallVector<bool> flags(bytes.begin(), bytes.end());
    return cast<TypedAttr>(DenseElementsAttr::get(type, flags));
  }

  func::FuncOp main;
  WeightStore &weights;
  ArrayRef<Value> wanted;
  SmallVector<plan::WeightAttr> inputs; // of the program
  std::vector<std::string> results;     // of the values, in order
};

LogicalResult runPhases(ModuleOp module, ArrayRef<Phase> phases) {
  for (const Phase &phase : phases) {
    PassManager manager(module.getContext(), ModuleOp::getOperationName());
    phase.addPasses(manager);
    if (failed(manager.run(module)))
      return failure();
  }
  return success();
}

/// Compiles onnx ops that have their types to an artifact in `folder`; returns its path, "" where an
/// op cannot be compiled.
llvm::Expected<std::string> compileProgram(ModuleOp module, StringRef cpu,
                                           const TemporaryFolder &folder) {
  llvm::Expected<std::unique_ptr<Target>> target = makeTarget("cpu", cpu);
  if (!target)
    return target.takeError();
  if (failed(runPhases(module, ArrayRef(modelPhases(CompileOptions())).drop_front())) ||
      failed(runPhases(module, programPhases(CompileOptions()))))
    return std::string();
  std::vector<Level> levels;
  levels.push_back({std::move(*target), module.lookupSymbol<ModuleOp>(plan::kernelModuleName), ""});
  const Level &level = levels.front();
  if (failed(runPhases(level.kernels, level.target->phases())))
    return std::string();
  ProgramSummary summary = summarize(module, levels);
  llvm::Expected<std::vector<Object>> objects = level.target->emitKernels(level.kernels);
  if (!objects)
    return objects.takeError();
  llvm::Expected<Object> main = emitProgram(module, levels, summary, {"constants", "burin"});
  if (!main)
    return main.takeError();
  llvm::Expected<Object> text = emitText(*level.target, certificateSymbol, "");
  if (!text)
    return text.takeError();
  objects->push_back(std::move(*main));
  objects->push_back(std::move(*text));
  LinkInput input;
  input.objects = *objects;
  input.architecture = level.target->architecture();
  input.modelName = "constants";
  auto fill = [&](llvm::raw_ostream &out) {
    return writeWeights(placedConstants(module), WeightStore(), 0, summary.weightsBytes, out);
  };
  input.weightsBytes = summary.weightsBytes;
  input.writeWeights = fill;
  std::string path = folder.file("constants.so");
  if (llvm::Error error = linkArtifact(path, input, folder.path()))
    return std::move(error);
  return path;
}

} // namespace

llvm::Expected<unsigned> evaluateConstants(ModuleOp module, WeightStore &weights, StringRef cpu,
                                           llvm::function_ref<void(ModuleOp)> show) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  SmallVector<Value> wanted = findConstants(main);
  if (wanted.empty())
    return 0;
  // What does not work here is done when the model runs: nobody needs to hear of it.
  ScopedDiagnosticHandler handler(module.getContext(), [](Diagnostic &) { return success(); });
  SmallVector<ArrayRef<Value>> todo{wanted};
  std::vector<Evaluation> done;
  unsigned count = 0;
  for (unsigned tried = 0; !todo.empty() && tried < mostPrograms; ++tried) {
    ArrayRef<Value> values = todo.pop_back_val();
    Evaluation evaluation(main, weights, values);
    OwningOpRef<ModuleOp> program = evaluation.build();
    show(*program);
    llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
    if (!folder)
      return folder.takeError();
    llvm::Expected<std::string> artifact = compileProgram(*program, cpu, *folder);
    if (!artifact)
      return artifact.takeError();
    llvm::Expected<bool> isRun = artifact->empty() ? false : evaluation.run(*artifact);
    if (!isRun)
      return isRun.takeError();
    if (*isRun) {
      count += unsigned(values.size());
      done.push_back(std::move(evaluation));
    } else if (values.size() > 1) {
      todo.push_back(values.drop_front(values.size() / 2));
      todo.push_back(values.take_front(values.size() / 2));
    }
  }
  // Only now: a value may be made from another one.
  for (Evaluation &evaluation : done)
    evaluation.replace();
  return count;
}

} // namespace burin
