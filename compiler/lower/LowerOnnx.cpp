// SPDX-License-Identifier: Apache-2.0
//
// The model storey ends here: one forward walk that asks the rule table for each
// node and rebuilds @main on storage types. Every node without a rule, or whose
// rule declines, is reported before anything is given up.

#include "compiler/lower/Lowering.h"
#include "compiler/lower/UnusedStacks.h"
#include "compiler/plan/Sizes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/SizeExpr.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_LOWERONNX
#include "compiler/transforms/Passes.h.inc"

namespace {

class Walk {
public:
  using Ranges = llvm::StringMap<std::optional<onnx::SizeExpr::Interval>>;

  Walk(OpBuilder &builder, IRMapping &mapping, llvm::StringMap<Value> &dims, Ranges &ranges,
       lower::Arithmetic arithmetic)
      : builder(builder), mapping(mapping), dims(dims), ranges(ranges), arithmetic(arithmetic) {}

  /// The sizes that the data decide.
  SmallVector<Attribute> measured; // plan::RangeAttr

  /// Lowers all ops of `block` but its terminator; goes on after a failure so
  /// that all failures are reported.
  LogicalResult lower(Block &block) {
    LogicalResult result = success();
    for (Operation &op : block.without_terminator())
      if (failed(lower(&op)))
        result = failure();
    return result;
  }

private:
  LogicalResult lower(Operation *op) {
    if (isa<onnx::NoneOp>(op))
      return success();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Value lowered = mapping.lookupOrNull(operand);
      if (!lowered && !isa<NoneType>(operand.getType()))
        return failure(); // its producer has been reported
      operands.push_back(lowered);
    }
    const lower::Rule *rule = lower::ruleTable().find(op->getName().getStringRef());
    if (!rule)
      return op->emitOpError("has no lowering yet; see `burin explain` for all nodes");
    std::string reason;
    if (failed(checkSizes(op)))
      return failure();
    lower::Lowering lowering(builder, op, reason);
    lowering.dims = &dims;
    lowering.arithmetic = arithmetic;
    lowering.lowerBlock = [&](Block &block,
                              ValueRange arguments) -> FailureOr<SmallVector<Value>> {
      OpBuilder::InsertionGuard guard(builder);
      builder.restoreInsertionPoint(lowering.saveInsertionPoint());
      mapping.map(block.getArguments(), arguments);
      if (failed(lower(block)))
        return failure();
      SmallVector<Value> values;
      for (Value value : block.getTerminator()->getOperands())
        values.push_back(mapping.lookupOrNull(value));
      return values;
    };
    lowering.range = [&](const onnx::SizeExpr &size) {
      return size.range([&](StringRef base) { return ranges.lookup(base); });
    };
    lowering.measure = [&](Value count, int64_t max) {
      auto name = op->getAttrOfType<StringAttr>(onnx::sizeAttrName);
      measured.push_back(plan::RangeAttr::get(op->getContext(), name, 0, max));
      ranges[name] = onnx::SizeExpr::Interval{0, max};
      return dims[name] = plan::MeasureOp::create(lowering, name, count);
    };
    lowering.agree = [&](const onnx::SizeExpr &a, const onnx::SizeExpr &b) {
      auto main = builder.getBlock()->getParent()->getParentOfType<func::FuncOp>();
      return plan::addAgreement(main, a, b, op->getLoc());
    };
    FailureOr<SmallVector<Value>> results = (*rule)(lowering, op, operands);
    if (failed(results) || !reason.empty())
      return op->emitOpError("is not supported here: ") << reason;
    if (std::string why = agreeResults(op, lowering); !why.empty())
      return op->emitOpError("is not supported here: ") << why;
    for (auto [from, to] : llvm::zip_equal(op->getResults(), *results))
      if (to)
        mapping.map(from, asDeclared(lowering, to, lower::storageType(from.getType())));
    return success();
  }

  /// A lowered result whose open sizes are those of `type` where it says them: they agree.
  static Value asDeclared(OpBuilder &builder, Value result, Type type) {
    auto has = dyn_cast<RankedTensorType>(result.getType());
    auto wanted = dyn_cast<RankedTensorType>(type);
    if (!has || !wanted || has.getRank() != wanted.getRank() || has.hasStaticShape())
      return result;
    SmallVector<int64_t> shape(has.getShape());
    for (auto [size, known] : llvm::zip_equal(shape, wanted.getShape()))
      if (ShapedType::isDynamic(size))
        size = known;
    if (ArrayRef(shape) == has.getShape())
      return result;
    return tensor::CastOp::create(builder, result.getLoc(), has.clone(shape), result);
  }

  /// A result's declared size is what its operands make it, in each run: nothing else keeps a
  /// kernel inside of it. Why it cannot be, or "".
  static std::string agreeResults(Operation *op, lower::Lowering &lowering) {
    if (llvm::all_of(op->getOperandTypes(), [](Type type) {
          auto tensor = dyn_cast<RankedTensorType>(type);
          return !isa<TensorType>(type) || (tensor && tensor.hasStaticShape());
        }))
      return ""; // shape inference has compared them
    SmallVector<Type> told = toldByOperands(op);
    for (auto [type, declared] : llvm::zip(told, op->getResultTypes())) {
      auto tensor = dyn_cast<RankedTensorType>(type), result = dyn_cast<RankedTensorType>(declared);
      if (!tensor || !result || tensor.getRank() != result.getRank())
        continue;
      for (auto [has, wanted] : llvm::zip_equal(lower::sizesOf(tensor), lower::sizesOf(result)))
        if (isKnown(has) && isKnown(wanted))
          if (std::string why = lowering.agree(has, wanted); !why.empty())
            return why;
    }
    return "";
  }

  static bool isKnown(const onnx::SizeExpr &size) { return !size.text().empty(); }

  /// The types of results that follow from the operands and attributes alone; none where none do.
  static SmallVector<Type> toldByOperands(Operation *op) {
    SmallVector<Type> types;
    for (Type type : op->getResultTypes())
      types.push_back(isa<TensorType>(type) ? UnrankedTensorType::get(getElementTypeOrSelf(type))
                                            : type);
    ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
    auto shaped = dyn_cast<onnx::OnnxOpInterface>(op);
    return shaped && succeeded(shaped.inferResultTypes(types)) ? types : SmallVector<Type>();
  }

  bool isMeasured(StringRef name) const {
    return llvm::any_of(measured, [&](Attribute range) {
      return cast<plan::RangeAttr>(range).getName().getValue() == name;
    });
  }

  /// Whether the op's rule knows all sizes of its results, by ranges.
  bool knowsSizes(Operation *op) const {
    SmallVector<Type> types = toldByOperands(op);
    auto isRange = [&](const onnx::SizeExpr &size) {
      return isKnown(size) && llvm::all_of(size.names(), [&](StringRef name) { return dims.contains(name); });
    };
    return types.size() == op->getNumResults() && llvm::all_of(types, [&](Type type) {
             auto tensor = dyn_cast<RankedTensorType>(type);
             return !isa<TensorType>(type) ||
                    (tensor && llvm::all_of(lower::sizesOf(tensor), isRange));
           });
  }

  /// "N=5..20": the range of one dim, cut at its start as little as can be, with which the op's
  /// rule knows the sizes of its results: a slice that starts at 5 is no longer past the end. Empty
  /// where there is none.
  std::string higherStart(Operation *op) {
    auto module = op->getParentOfType<ModuleOp>();
    auto all = module->getAttrOfType<DictionaryAttr>(onnx::dimRangesAttrName);
    std::string found;
    for (NamedAttribute range : all ? all.getValue() : ArrayRef<NamedAttribute>()) {
      auto bounds = cast<DenseI64ArrayAttr>(range.getValue());
      auto works = [&](int64_t start) {
        NamedAttrList changed(all);
        changed.set(range.getName(), DenseI64ArrayAttr::get(op->getContext(), {start, bounds[1]}));
        module->setAttr(onnx::dimRangesAttrName, changed.getDictionary(op->getContext()));
        return knowsSizes(op);
      };
      int64_t low = bounds[0], high = bounds[1]; // the former does not
      if (low < high && works(high)) {
        while (high - low > 1) {
          int64_t middle = low + (high - low) / 2;
          (works(middle) ? high : low) = middle;
        }
        found =
            range.getName().str() + "=" + std::to_string(high) + ".." + std::to_string(bounds[1]);
        break;
      }
    }
    if (all)
      module->setAttr(onnx::dimRangesAttrName, all);
    return found;
  }

  /// Whether a state of the model has `name` rows.
  static bool isStateLength(Operation *op, StringRef name) {
    auto main = op->getParentOfType<func::FuncOp>();
    return llvm::any_of(llvm::seq(main.getNumArguments()), [&](unsigned i) {
      auto type = dyn_cast<RankedTensorType>(main.getArgumentTypes()[i]);
      auto names = type ? dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding()) : onnx::DimsAttr();
      return plan::stateOf(main, i) && names && llvm::any_of(names.getNames(), [&](StringAttr size) {
               return size.getValue() == name;
             });
    });
  }

  /// An input of the model whose elements decide sizes of the op's results; empty where none is found. The numbers
  /// that a shape is computed from have one dim at most, and an op's first operand is data where it has more.
  static std::string decidingInput(Operation *op) {
    SetVector<Value> numbers;
    auto take = [&](ValueRange operands, bool withFirst) {
      for (auto [i, operand] : llvm::enumerate(operands)) {
        auto type = dyn_cast<RankedTensorType>(operand.getType());
        if (!type || type.getRank() > 1)
          continue;
        bool isOne = type.hasStaticShape() && type.getNumElements() == 1;
        auto integer = dyn_cast<IntegerType>(type.getElementType());
        if (integer ? integer.getWidth() > 1 && (i > 0 || withFirst || isOne) : isOne)
          numbers.insert(operand);
      }
    };
    // Behind a loop's trip count are its states.
    take(op->getNumRegions() ? op->getOperands().take_front(1) : op->getOperands(), op->getNumOperands() == 1);
    for (size_t i = 0; i < numbers.size(); ++i) { // numbers grows while it is walked
      if (auto argument = dyn_cast<BlockArgument>(numbers[i])) {
        auto main = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
        auto name = main ? main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "onnx.name") : StringAttr();
        if (name)
          return name.str();
      } else if (Operation *def = numbers[i].getDefiningOp(); !isa<onnx::ShapeOp, onnx::SizeOp>(def)) {
        take(def->getOperands(), true);
      }
    }
    return "";
  }

  /// Sizes that change from run to run are computed from ranges of --dim, and only where the rule
  /// takes them.
  LogicalResult checkSizes(Operation *op) {
    bool takesDynamic = lower::ruleTable().takesDynamicSizes(op->getName().getStringRef());
    auto own = op->getAttrOfType<StringAttr>(onnx::sizeAttrName);
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes())) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || tensor.hasStaticShape())
        continue;
      auto names = dyn_cast_if_present<onnx::DimsAttr>(tensor.getEncoding());
      for (auto [i, size] : llvm::enumerate(tensor.getShape())) {
        StringRef name = names && ShapedType::isDynamic(size) ? names.getNames()[i].getValue() : "";
        if (own && name == own.getValue())
          continue; // the rule's to find out
        auto expr = onnx::SizeExpr::parse(name);
        std::vector<std::string> bases = expr.names();
        bool isRange = !name.empty() && llvm::all_of(bases, [&](const std::string &base) {
          return dims.count(base) != 0;
        });
        if (isRange && !takesDynamic) {
          auto error = op->emitOpError("is not supported here: it does not take a size that changes "
                                       "from run to run yet, as '")
                       << name << "' does; ";
          auto byOption = llvm::find_if(bases, [&](const std::string &base) { return !isMeasured(base); });
          if (byOption == bases.end())
            return error << "the data decide it; compute this part in the program that calls the model";
          return error << "fix it, for example with --dim " << *byOption << "=1";
        }
        if (ShapedType::isDynamic(size) && !isRange && op->hasTrait<onnx::SizedByData>() &&
            !isa<func::FuncOp>(op->getParentOp()))
          return op->emitOpError(
              "is not supported here: what it counts in a body of a loop or a branch has no bound "
              "of its own in each round; mark what counts by booleans of a fixed size (Where) "
              "instead, or do it outside of the body");
        if (ShapedType::isDynamic(size) && !isRange && takesDynamic) {
          if (std::string range = higherStart(op); !range.empty()) {
            auto error = op->emitOpError("is not supported here: the result's shape has no one "
                                         "expression for all sizes that --dim allows; give ");
            StringRef name = StringRef(range).split('=').first, most = StringRef(range).rsplit("..").second;
            if (isStateLength(op, name))
              return error << "the state a fixed size, for example with --dim " << name << "=" << most
                           << ": it begins with zeros in all rows";
            return error << "a range that starts higher, for example --dim " << range << ", or fixed sizes";
          }
          if (std::string input = decidingInput(op); !input.empty())
            return op->emitOpError("is not supported here: the result's shape is known only when the model runs, by "
                                   "what the input '")
                   << input << "' holds, which no --dim fixes; make it a constant of the model, or the size of another "
                   << "input";
          if (op->getNumRegions() > 0)
            return success(); // the rule says what in its body decides
          auto error = op->emitOpError("is not supported here: the result's shape is known only when the model runs; ");
          if (op->getParentOfType<onnx::LoopOp>())
            error << "what a loop carries has one shape in all rounds: write what is new into a tensor of a "
                     "fixed size (ScatterND), or let the loop stack it (a scan output)";
          else if (dims.empty())
            error << "no --dim decides it; compute this part in the program that calls the model";
          else
            error << "fix the sizes it depends on with --dim NAME=VALUE";
          if (isa<onnx::ReshapeOp>(op) && !dims.empty())
            error << ", or where an input has multiples of a number (as many rows as windows of 4 take) say so: "
                     "--input NAME=1x3x4*hx4*w";
          return error;
        }
        auto range = isRange ? expr.range([&](StringRef base) { return ranges.lookup(base); })
                             : std::nullopt;
        if (isRange && (!range || range->min < 0))
          return op->emitOpError("is not supported here: its size '")
                 << name << "' is not between 0 and 2^63 for all sizes that --dim allows; give "
                 << "a smaller range, for example with --dim " << bases.front() << "=MIN..MAX";
      }
    }
    return success();
  }

  OpBuilder &builder;
  IRMapping &mapping;
  llvm::StringMap<Value> &dims;
  Ranges &ranges;
  lower::Arithmetic arithmetic;
};

struct LowerOnnx : impl::LowerOnnxBase<LowerOnnx> {
  using LowerOnnxBase::LowerOnnxBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, bufferization::BufferizationDialect,
                    complex::ComplexDialect, func::FuncDialect, kern::KernDialect,
                    linalg::LinalgDialect, math::MathDialect, plan::PlanDialect, scf::SCFDialect,
                    tensor::TensorDialect>();
  }

  void runOnOperation() override {
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!func.isDeclaration() && failed(lowerFunction(func)))
        return signalPassFailure();
    getOperation()->removeAttr(onnx::dimRangesAttrName); // plan.dims from here on
  }

  LogicalResult lowerFunction(func::FuncOp func) {
    lower::dropUnusedStacks(func);
    auto convert = [](TypeRange types) {
      return llvm::map_to_vector(types, [](Type type) { return lower::storageType(type); });
    };
    OpBuilder builder(func);
    auto lowered = func::FuncOp::create(
        builder, func.getLoc(), func.getName(),
        builder.getFunctionType(convert(func.getArgumentTypes()), convert(func.getResultTypes())));
    lowered->setAttrs(func->getAttrDictionary());
    lowered.setFunctionType(
        builder.getFunctionType(convert(func.getArgumentTypes()), convert(func.getResultTypes())));
    // The model's own types, which the artifact's tables tell.
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes()))
      lowered.setArgAttr(i, "onnx.type", TypeAttr::get(type));
    for (auto [i, type] : llvm::enumerate(func.getResultTypes()))
      lowered.setResultAttr(i, "onnx.type", TypeAttr::get(type));
    Block *entry = lowered.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    IRMapping mapping;
    Block &body = func.getBody().front();
    mapping.map(body.getArguments(), entry->getArguments());
    Walk::Ranges ranges;
    llvm::StringMap<Value> dims = declareDims(builder, lowered, ranges);
    Walk walk(builder, mapping, dims, ranges, {winograd, bf16Weights});
    if (failed(walk.lower(body))) {
      lowered.erase();
      return failure();
    }
    if (!walk.measured.empty()) {
      SmallVector<Attribute> all;
      if (auto declared = lowered->getAttrOfType<ArrayAttr>(plan::dimsAttrName))
        llvm::append_range(all, declared);
      llvm::append_range(all, walk.measured);
      lowered->setAttr(plan::dimsAttrName, builder.getArrayAttr(all));
    }
    SmallVector<Value> results;
    for (Value value : body.getTerminator()->getOperands())
      results.push_back(mapping.lookup(value));
    if (failed(checkBoundary(func)))
      return failure();
    setFixedSizes(lowered, func, results);
    func::ReturnOp::create(builder, body.getTerminator()->getLoc(), results);
    lower::eraseLists(lowered);
    func.erase();
    return success();
  }

  /// What comes of a sequence may have sizes that shape inference does not know, and lowering has found.
  static void setFixedSizes(func::FuncOp lowered, func::FuncOp model, ArrayRef<Value> results) {
    SmallVector<Type> types(lowered.getResultTypes());
    for (auto [i, value] : llvm::enumerate(results)) {
      auto has = dyn_cast<RankedTensorType>(value.getType());
      auto declared = dyn_cast<RankedTensorType>(model.getResultTypes()[i]);
      if (!has || !declared || !has.hasStaticShape() || declared.hasStaticShape())
        continue;
      types[i] = has;
      lowered.setResultAttr(unsigned(i), "onnx.type",
                            TypeAttr::get(RankedTensorType::get(has.getShape(), declared.getElementType())));
    }
    lowered.setFunctionType(FunctionType::get(lowered.getContext(), lowered.getArgumentTypes(), types));
  }

  /// The ranges that options give, as plan.dims of the function and plan.dim ops.
  llvm::StringMap<Value> declareDims(OpBuilder &builder, func::FuncOp func,
                                     Walk::Ranges &intervals) {
    llvm::StringMap<Value> dims;
    auto ranges = getOperation()->getAttrOfType<DictionaryAttr>(onnx::dimRangesAttrName);
    if (!ranges)
      return dims;
    SmallVector<Attribute> list;
    for (NamedAttribute range : ranges) {
      auto bounds = cast<DenseI64ArrayAttr>(range.getValue());
      intervals[range.getName()] = onnx::SizeExpr::Interval{bounds[0], bounds[1]};
      list.push_back(plan::RangeAttr::get(&getContext(), range.getName(), bounds[0], bounds[1]));
      dims[range.getName()] = plan::DimOp::create(builder, func.getLoc(), builder.getIndexType(),
                                                range.getName().getValue());
    }
    func->setAttr(plan::dimsAttrName, builder.getArrayAttr(list));
    return dims;
  }

  /// Strings, sequences and optionals are resolved inside of a model only.
  static LogicalResult checkBoundary(func::FuncOp func) {
    for (Type type : llvm::concat<const Type>(func.getArgumentTypes(), func.getResultTypes())) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor)
        return func.emitError("has an input or output of type ")
               << type << "; only tensors of known rank cross a model's boundary";
      if (isa<onnx::StringType>(tensor.getElementType()))
        return func.emitError("has an input or output of strings, of type ")
               << type << "; encode them as integers before the model";
    }
    return success();
  }
};

} // namespace
} // namespace burin
