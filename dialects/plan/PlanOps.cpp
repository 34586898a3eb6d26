// SPDX-License-Identifier: Apache-2.0
#include "dialects/plan/PlanOps.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace burin::plan;

#include "dialects/plan/PlanOpsDialect.cpp.inc"

#include "dialects/plan/PlanOpsEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanOpsAttributes.cpp.inc"

static constexpr llvm::StringLiteral tooLarge = "too large: ";

InFlightDiagnostic burin::plan::emitTooLarge(Location where) {
  return emitError(where) << StringRef(tooLarge);
}

bool burin::plan::saysTooLarge(Diagnostic &diagnostic) {
  return llvm::any_of(diagnostic.getArguments(), [](const DiagnosticArgument &argument) {
    return argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::String &&
           argument.getAsString() == tooLarge;
  });
}

SmallVector<StringRef> burin::plan::nodeNames(Location where) {
  SmallVector<StringRef> names;
  where->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    if (!llvm::is_contained(names, named.getName().getValue()))
      names.push_back(named.getName().getValue());
    return WalkResult::skip();
  });
  return names;
}

std::string burin::plan::nodeName(Location where) {
  SmallVector<StringRef> names = nodeNames(where);
  return names.empty() ? "" : names.front().str();
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> source, ArrayRef<int64_t> permutation,
                                 int64_t leading, int64_t panel, int64_t winograd, bool bf16) {
  int64_t rank = source.size();
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return emitError() << "a layout permutes the dims of its source";
  int64_t elements = 1;
  for (int64_t size : source)
    if (size < 0 || llvm::MulOverflow(elements, size, elements))
      return emitError() << "a layout has a static source of less than 2^63 elements";
  if (panel < 0 || leading < 0 || (panel > 0 && leading + 2 > rank) || (panel == 0 && leading > 0))
    return emitError() << "panels take leading dims, a column dim and reduction dims";
  if (winograd != 0 && (winograd < 0 || winograd > 4 || panel == 0 || leading != 2 ||
                        source[permutation[0]] != 3 || source[permutation[1]] != 3))
    return emitError() << "taps of 3 x 3 that lead are transformed, for tiles of up to 4";
  if (bf16 && (panel == 0 || winograd != 0))
    return emitError() << "panels are rounded to bf16 that are not transformed";
  return success();
}

LogicalResult WeightAttr::verify(function_ref<InFlightDiagnostic()> emitError, Type type,
                                 StringAttr segment, uint64_t offset, uint64_t length,
                                 LayoutAttr layout) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return emitError() << "a weight is a tensor of static shape, not " << type;
  if (offset + length < offset)
    return emitError() << "a weight ends before 2^64";
  if (layout && ArrayRef<int64_t>(layout.getShape()) != tensor.getShape())
    return emitError() << "a weight of type " << type << " has a layout of another shape";
  if (layout && layout.getBf16() && !tensor.getElementType().isBF16())
    return emitError() << "a weight of type " << type << " has a layout that rounds to bf16";
  return success();
}

LogicalResult RangeAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringAttr name,
                                int64_t min, int64_t max) {
  if (name.empty() || min < 0 || max < min)
    return emitError() << "a range has a name and bounds 0 <= min <= max";
  return success();
}

LogicalResult StateAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringAttr,
                                int64_t axis, StringAttr length, AffineMapAttr next) {
  if (axis < -1 || (axis >= 0) != bool(length) || (axis >= 0) != bool(next))
    return emitError() << "a state that grows has an axis, a length and the next one";
  if (next && (next.getAffineMap().getNumResults() != 1 || next.getAffineMap().getNumDims() != 0))
    return emitError() << "the next length of a state is one function of the model's dims";
  return success();
}

StateAttr burin::plan::stateOf(FunctionOpInterface main, unsigned index) {
  return main.getArgAttrOfType<StateAttr>(index, stateAttrName);
}

std::optional<unsigned> burin::plan::stateOfResult(FunctionOpInterface main, unsigned index) {
  auto number = main.getResultAttrOfType<IntegerAttr>(index, stateAttrName);
  if (!number || number.getInt() < 0 || number.getInt() >= int64_t(main.getNumArguments()))
    return std::nullopt;
  return unsigned(number.getInt());
}

BlockArgument burin::plan::stateUnder(Value tensor) {
  while (tensor) {
    if (auto argument = dyn_cast<BlockArgument>(tensor)) {
      auto main = dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
      return main && stateOf(main, argument.getArgNumber()) ? argument : BlockArgument();
    }
    auto result = cast<OpResult>(tensor);
    Operation *def = result.getOwner();
    if (auto dispatch = dyn_cast<DispatchOp>(def)) {
      tensor = dispatch.getInits()[result.getResultNumber()];
    } else if (auto launch = dyn_cast<LaunchOp>(def)) {
      int64_t at = int64_t(result.getResultNumber()) -
                   int64_t(launch.getNumResults() - launch.getStates().size());
      tensor = at < 0 ? Value() : launch.getStates()[at];
    } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(def)) {
      tensor = insert.getDest();
    } else if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(def)) {
      tensor = def->getOperand(0);
    } else {
      return nullptr;
    }
  }
  return nullptr;
}

Within burin::plan::withinOf(Value data) {
  auto numbersOf = [](Value value) -> DenseI64ArrayAttr {
    Operation *def = value.getDefiningOp();
    if (auto join = dyn_cast_or_null<JoinOp>(def))
      return join.getWithinAttr();
    if (auto part = dyn_cast_or_null<PartOp>(def))
      return part.getWithinAttr();
    return def ? def->getAttrOfType<DenseI64ArrayAttr>(withinAttrName) : DenseI64ArrayAttr();
  };
  Within within{data, 0, 0};
  if (DenseI64ArrayAttr numbers = numbersOf(data)) {
    within.offset = numbers[0];
    within.span = numbers[1];
  }
  // The numbers are those in the outermost already.
  while (numbersOf(within.owner)) {
    if (auto part = within.owner.getDefiningOp<PartOp>()) {
      within.owner = part.getWhole();
      continue;
    }
    auto join = llvm::find_if(within.owner.getUsers(), llvm::IsaPred<JoinOp>);
    if (join == within.owner.user_end())
      break;
    within.owner = cast<JoinOp>(*join).getResult();
  }
  return within;
}

SmallVector<int64_t> LayoutAttr::getShape() {
  SmallVector<int64_t> permuted;
  for (int64_t dim : getPermutation())
    permuted.push_back(getSource()[dim]);
  if (getPanel() == 0)
    return permuted;
  SmallVector<int64_t> shape(ArrayRef(permuted).take_front(getLeading()));
  if (getWinograd())
    shape = {(getWinograd() + 2) * (getWinograd() + 2)};
  shape.push_back(llvm::divideCeil(uint64_t(permuted[getLeading()]), uint64_t(getPanel())));
  int64_t depth = 1;
  for (int64_t size : ArrayRef(permuted).drop_front(getLeading() + 1))
    depth *= size;
  shape.append({depth, getPanel()});
  return shape;
}

void PlanDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/plan/PlanOpsAttributes.cpp.inc"
      >();
}

void PlanDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
}

Operation *PlanDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location loc) {
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed || typed.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, typed);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult MeasureOp::verify() {
  auto type = cast<RankedTensorType>(getCount().getType());
  if (type.getNumElements() != 1 || !type.getElementType().isInteger(64))
    return emitOpError("measures a tensor of one i64, not ") << type;
  return success();
}

LogicalResult DispatchOp::verify() {
  Block &body = getBody().front();
  SmallVector<Type> expected(getOperandTypes());
  if (body.getArgumentTypes() != TypeRange(expected))
    return emitOpError("has body arguments of other types than its operands");
  if (getInits().size() != getNumResults())
    return emitOpError("has ") << getInits().size() << " inits for " << getNumResults()
                               << " results";
  for (auto [init, result] : llvm::zip_equal(getInits(), getResults()))
    if (init.getType() != result.getType())
      return emitOpError("has an init of type ") << init.getType() << " for a result of type "
                                                 << result.getType();
  Operation *end = body.getTerminator();
  if (TypeRange(end->getOperandTypes()) != TypeRange(getResultTypes()))
    return emitOpError("returns other types than its results");
  return success();
}

LogicalResult LaunchOp::verify() {
  if (getStates().size() > getNumResults() ||
      TypeRange(getStates()) != TypeRange(getResults().take_back(getStates().size())))
    return emitOpError("has states of other types than its last results");
  size_t dynamic = 0;
  for (Type type : getResultTypes())
    dynamic += size_t(cast<RankedTensorType>(type).getNumDynamicDims());
  if (getSizes().size() != dynamic)
    return emitOpError("has ") << getSizes().size() << " sizes for " << dynamic
                               << " dynamic sizes of its results";
  if (!getPlaces())
    return success();
  if (!llvm::all_of(*getPlaces(), llvm::IsaPred<PlaceAttr>) ||
      getPlaces()->size() != getInputs().size() + getNumResults())
    return emitOpError("needs one place per input and result");
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto module = (*this)->getParentOfType<ModuleOp>();
  auto kernels = symbols.lookupSymbolIn<ModuleOp>(
      module, StringAttr::get(getContext(), kernelModuleName));
  auto kernel = kernels ? symbols.lookupSymbolIn<FunctionOpInterface>(kernels,
                                                                      getKernelAttr().getAttr())
                        : FunctionOpInterface();
  if (!kernel)
    return emitOpError("names no function of @") << kernelModuleName << ": " << getKernelAttr();
  if (kernel->hasAttr("plan.tasks"))
    return success(); // the target's phases have given it their own signature

  // Tensors, or the buffers that the schedule makes of them.
  SmallVector<Type> types(getInputs().getTypes());
  llvm::append_range(types, getResultTypes());
  llvm::append_range(types, getDims().getTypes());
  auto agree = [](Type type, Type argument) {
    auto tensor = dyn_cast<ShapedType>(type), buffer = dyn_cast<ShapedType>(argument);
    return tensor && buffer ? tensor.getShape() == buffer.getShape() &&
                                  tensor.getElementType() == buffer.getElementType()
                            : type == argument;
  };
  if (!llvm::equal(types, kernel.getArgumentTypes(), agree))
    return emitOpError("needs a kernel that takes its inputs, results and dims; ")
           << getKernelAttr() << " is " << kernel.getFunctionType();
  return success();
}

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"
