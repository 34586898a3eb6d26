// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan/Sizes.h"

#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin::plan {

std::optional<uint64_t> denseBytes(Type element, ArrayRef<int64_t> shape) {
  uint64_t parts = 1;
  if (auto complex = dyn_cast<ComplexType>(element)) {
    element = complex.getElementType();
    parts = 2;
  }
  uint64_t bytes = parts * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    if (size != 0 && bytes > (uint64_t(1) << 62) / uint64_t(size))
      return std::nullopt;
    bytes *= uint64_t(size);
  }
  return bytes;
}

AffineExpr indexExpr(Value index, function_ref<AffineExpr(Value)> leaf) {
  if (AffineExpr expr = leaf(index))
    return expr;
  Operation *def = index.getDefiningOp();
  if (!def)
    return nullptr;
  if (auto constant = dyn_cast<arith::ConstantIndexOp>(def))
    return getAffineConstantExpr(constant.value(), index.getContext());
  if (auto apply = dyn_cast<affine::AffineApplyOp>(def)) {
    AffineMap map = apply.getAffineMap();
    SmallVector<AffineExpr> dims, symbols;
    for (auto [i, value] : llvm::enumerate(apply.getMapOperands())) {
      AffineExpr expr = indexExpr(value, leaf);
      if (!expr)
        return nullptr;
      (i < map.getNumDims() ? dims : symbols).push_back(expr);
    }
    return map.getResult(0).replaceDimsAndSymbols(dims, symbols);
  }
  if (auto rest = dyn_cast<arith::RemSIOp>(def)) {
    AffineExpr x = indexExpr(rest.getLhs(), leaf), y = indexExpr(rest.getRhs(), leaf);
    return x && isa_and_present<AffineConstantExpr>(y) ? x % y : AffineExpr();
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp, arith::DivSIOp,
           arith::FloorDivSIOp, arith::CeilDivUIOp, arith::CeilDivSIOp>(def))
    return nullptr;
  AffineExpr x = indexExpr(def->getOperand(0), leaf), y = indexExpr(def->getOperand(1), leaf);
  if (!x || !y)
    return nullptr;
  if (isa<arith::AddIOp>(def))
    return x + y;
  if (isa<arith::SubIOp>(def))
    return x - y;
  if (isa<arith::MulIOp>(def))
    return x * y;
  auto divisor = dyn_cast<AffineConstantExpr>(y);
  if (!divisor || divisor.getValue() <= 0)
    return nullptr;
  return isa<arith::CeilDivUIOp, arith::CeilDivSIOp>(def) ? x.ceilDiv(y) : x.floorDiv(y);
}

/// `expr` over values of its symbols. Plain arithmetic: a kernel may take it in, where affine ops
/// know no symbols.
static Value buildExpr(ImplicitLocOpBuilder &b, AffineExpr expr, ValueRange symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(b, constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value x = buildExpr(b, binary.getLHS(), symbols), y = buildExpr(b, binary.getRHS(), symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(b, x, y);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(b, x, y);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(b, x, y);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(b, x, y);
  case AffineExprKind::Mod: // of no negative number: MLIR finds it in x - x floordiv c * c
    return arith::RemSIOp::create(b, x, y);
  default:
    llvm_unreachable("an expression of sizes is one of these");
  }
}

Value buildSize(OpBuilder &builder, Location loc, const onnx::SizeExpr &size,
                function_ref<Value(StringRef)> leaf) {
  SmallVector<Value> symbols;
  AffineExpr expr = size.affine(builder.getContext(), [&](StringRef name) -> AffineExpr {
    Value value = leaf(name);
    if (!value)
      return nullptr;
    auto at = llvm::find(symbols, value);
    if (at == symbols.end())
      at = symbols.insert(symbols.end(), value);
    return getAffineSymbolExpr(at - symbols.begin(), builder.getContext());
  });
  ImplicitLocOpBuilder b(loc, builder);
  return expr ? buildExpr(b, expr, symbols) : Value();
}

std::optional<Interval> rangeOf(AffineExpr expr, function_ref<Interval(unsigned)> symbols) {
  if (!expr)
    return std::nullopt;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Interval{constant.getValue(), constant.getValue()};
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols(symbol.getPosition());
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<Interval> x = rangeOf(binary.getLHS(), symbols),
                          y = rangeOf(binary.getRHS(), symbols);
  if (!x || !y)
    return std::nullopt;
  int64_t corners[4];
  switch (expr.getKind()) {
  case AffineExprKind::Add: {
    Interval sum;
    if (llvm::AddOverflow(x->min, y->min, sum.min) || llvm::AddOverflow(x->max, y->max, sum.max))
      return std::nullopt;
    return sum;
  }
  case AffineExprKind::Mul:
    if (llvm::MulOverflow(x->min, y->min, corners[0]) ||
        llvm::MulOverflow(x->min, y->max, corners[1]) ||
        llvm::MulOverflow(x->max, y->min, corners[2]) ||
        llvm::MulOverflow(x->max, y->max, corners[3]))
      return std::nullopt;
    return Interval{*llvm::min_element(corners), *llvm::max_element(corners)};
  case AffineExprKind::FloorDiv:
    if (y->min <= 0)
      return std::nullopt;
    return Interval{std::min(llvm::divideFloorSigned(x->min, y->min),
                             llvm::divideFloorSigned(x->min, y->max)),
                    std::max(llvm::divideFloorSigned(x->max, y->min),
                             llvm::divideFloorSigned(x->max, y->max))};
  case AffineExprKind::CeilDiv:
    if (y->min <= 0)
      return std::nullopt;
    return Interval{std::min(llvm::divideCeilSigned(x->min, y->min),
                             llvm::divideCeilSigned(x->min, y->max)),
                    std::max(llvm::divideCeilSigned(x->max, y->min),
                             llvm::divideCeilSigned(x->max, y->max))};
  case AffineExprKind::Mod:
    if (y->min <= 0)
      return std::nullopt;
    return Interval{0, y->max - 1};
  default:
    return std::nullopt;
  }
}

std::string textOf(StringRef name, Interval range) {
  std::string text = name.str() + "=" + std::to_string(range.min);
  if (range.max != range.min)
    text += ".." + std::to_string(range.max);
  return text;
}

std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) {
    type.print(stream);
    return text;
  }
  for (int64_t size : tensor.getShape()) {
    if (ShapedType::isDynamic(size))
      stream << "?x";
    else
      stream << size << "x";
  }
  tensor.getElementType().print(stream);
  return text;
}

std::string textOf(Attribute agreed) {
  auto number = dyn_cast<IntegerAttr>(agreed);
  return number ? std::to_string(number.getInt()) : cast<StringAttr>(agreed).str();
}

std::string addAgreement(func::FuncOp main, const onnx::SizeExpr &a, const onnx::SizeExpr &b,
                         Location node) {
  if (a == b)
    return "";
  std::string first = a.text(), second = b.text();
  if (second < first)
    std::swap(first, second);
  auto fail = [&](const char *why) {
    return "it takes the sizes '" + first + "' and '" + second + "' for one, " + why;
  };
  bool isOpen = true;
  main.walk([&](MeasureOp measure) {
    for (const onnx::SizeExpr *size : {&a, &b})
      isOpen &= !llvm::is_contained(size->names(), measure.getName());
  });
  if (!isOpen)
    return fail("and the data decide them; compute this part in the program that calls the model");
  std::optional<onnx::SizeExpr> between = a.minus(b);
  std::optional<Interval> range = between ? ModelSizes(main).range(*between) : std::nullopt;
  if (!range || range->min > 0 || range->max < 0)
    return fail("which no sizes that --dim allows make equal; give other ranges");
  Builder builder(main.getContext());
  auto attribute = [&](const onnx::SizeExpr &size) -> Attribute {
    if (onnx::SizeExpr::Number number = size.constant())
      return builder.getI64IntegerAttr(*number);
    return builder.getStringAttr(size.text());
  };
  Attribute pair[] = {attribute(a), attribute(b)};
  if (a.text() != first)
    std::swap(pair[0], pair[1]);
  SmallVector<Attribute> all;
  if (auto before = main->getAttrOfType<ArrayAttr>(agreementsAttrName))
    llvm::append_range(all, before);
  for (auto known : llvm::map_range(all, [](Attribute one) { return cast<ArrayAttr>(one); }))
    if (known[0] == pair[0] && known[1] == pair[1])
      return "";
  all.push_back(builder.getArrayAttr({pair[0], pair[1], builder.getStringAttr(nodeName(node))}));
  main->setAttr(agreementsAttrName, builder.getArrayAttr(all));
  return "";
}

ModelSizes::ModelSizes(func::FuncOp main) : main(main), context(main.getContext()) {
  if (auto dims = main->getAttrOfType<ArrayAttr>(dimsAttrName))
    for (auto range : dims.getAsRange<RangeAttr>()) {
      ranges.push_back({range.getMin(), range.getMax()});
      names.push_back(range.getName().getValue());
    }
}

AffineExpr ModelSizes::of(Attribute size) const {
  if (auto number = dyn_cast<IntegerAttr>(size))
    return getAffineConstantExpr(number.getInt(), context);
  return named(cast<StringAttr>(size).getValue());
}

AffineExpr ModelSizes::named(StringRef size) const {
  return onnx::SizeExpr::parse(size).affine(context, [&](StringRef name) {
    auto at = llvm::find(names, name);
    return at == names.end() ? AffineExpr() : getAffineSymbolExpr(at - names.begin(), context);
  });
}

SmallVector<AffineExpr> ModelSizes::of(Value tensor) {
  SmallVector<AffineExpr> sizes;
  auto type = cast<RankedTensorType>(tensor.getType());
  for (auto [d, size] : llvm::enumerate(type.getShape()))
    sizes.push_back(ShapedType::isDynamic(size) ? ofDim(tensor, d)
                                                : getAffineConstantExpr(size, context));
  return sizes;
}

SmallVector<AffineExpr> ModelSizes::told(LaunchOp launch) {
  SmallVector<AffineExpr> told;
  auto take = [&](Value tensor) {
    for (auto [size, expr] :
         llvm::zip_equal(cast<RankedTensorType>(tensor.getType()).getShape(), of(tensor)))
      if (ShapedType::isDynamic(size))
        told.push_back(expr);
  };
  llvm::for_each(launch.getInputs(), take);
  llvm::for_each(launch.getResults(), take);
  for (Value dim : launch.getDims())
    told.push_back(ofIndex(dim));
  return told;
}

AffineExpr ModelSizes::ofDim(Value tensor, unsigned dim) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    if (argument.getOwner()->getParentOp() != main)
      return nullptr;
    auto typed = main.getArgAttrOfType<TypeAttr>(argument.getArgNumber(), "onnx.type");
    auto type = typed ? dyn_cast<RankedTensorType>(typed.getValue()) : RankedTensorType();
    auto dims = type ? dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding()) : nullptr;
    return dims ? named(dims.getNames()[dim].getValue()) : nullptr;
  }
  Operation *def = tensor.getDefiningOp();
  auto type = cast<RankedTensorType>(tensor.getType());
  if (auto launch = dyn_cast<LaunchOp>(def)) {
    unsigned at = type.getDynamicDimIndex(dim);
    for (Value before : launch.getResults().take_front(cast<OpResult>(tensor).getResultNumber()))
      at += cast<RankedTensorType>(before.getType()).getNumDynamicDims();
    return ofIndex(launch.getSizes()[at]);
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(def))
    return ofIndex(empty.getDynamicSizes()[type.getDynamicDimIndex(dim)]);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(def))
    return ofIndex(expand.getOutputShape()[type.getDynamicDimIndex(dim)]);
  if (auto cast = dyn_cast<tensor::CastOp>(def))
    return of(cast.getSource())[dim];
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(def)) {
    AffineExpr product = getAffineConstantExpr(1, context);
    SmallVector<AffineExpr> from = of(collapse.getSrc());
    SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
    for (int64_t source : groups[dim]) {
      if (!from[source])
        return nullptr;
      product = product * from[source];
    }
    return product;
  }
  if (auto style = dyn_cast<DestinationStyleOpInterface>(def))
    return of(style.getTiedOpOperand(mlir::cast<OpResult>(tensor))->get())[dim];
  return nullptr;
}

AffineExpr ModelSizes::ofIndex(Value index) {
  if (auto it = known.find(index); it != known.end())
    return it->second;
  AffineExpr expr = indexExpr(index, [&](Value value) -> AffineExpr {
    if (auto dim = value.getDefiningOp<DimOp>())
      return named(onnx::SizeExpr::name(dim.getName()).text());
    if (auto measure = value.getDefiningOp<MeasureOp>())
      return named(onnx::SizeExpr::name(measure.getName()).text());
    if (auto dim = value.getDefiningOp<tensor::DimOp>())
      if (std::optional<int64_t> at = dim.getConstantIndex())
        return of(dim.getSource())[*at];
    return nullptr;
  });
  known[index] = expr;
  return expr;
}

std::optional<onnx::SizeExpr> ModelSizes::inNames(AffineExpr expr) const {
  if (!expr)
    return std::nullopt;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return onnx::SizeExpr(constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return onnx::SizeExpr::name(names[symbol.getPosition()]);
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<onnx::SizeExpr> x = inNames(binary.getLHS()), y = inNames(binary.getRHS());
  if (!x || !y)
    return std::nullopt;
  onnx::SizeExpr::Number by = y->constant();
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return x->plus(*y);
  case AffineExprKind::Mul:
    return x->times(*y);
  case AffineExprKind::FloorDiv:
    return by && *by > 0 ? x->floorDiv(*by) : std::nullopt;
  case AffineExprKind::CeilDiv:
    return by && *by > 0 ? x->ceilDiv(*by) : std::nullopt;
  default:
    return std::nullopt;
  }
}

std::string ModelSizes::textOf(AffineExpr expr) const {
  if (std::optional<onnx::SizeExpr> inNames = this->inNames(expr))
    return inNames->text();
  std::string text;
  llvm::raw_string_ostream(text) << expr;
  return text;
}

bool ModelSizes::isMeasured(AffineExpr expr) const {
  bool found = false;
  func::FuncOp(main).walk([&](MeasureOp op) {
    auto at = llvm::find(names, op.getName());
    found |= at != names.end() && expr.isFunctionOfSymbol(unsigned(at - names.begin()));
  });
  return found;
}

std::optional<onnx::SizeExpr> ModelSizes::size(Value tensor, unsigned dim) {
  return inNames(of(tensor)[dim]);
}

std::optional<onnx::SizeExpr> ModelSizes::bytes(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  std::optional<uint64_t> width = denseBytes(type.getElementType(), {});
  if (!width)
    return std::nullopt;
  std::optional<onnx::SizeExpr> product = onnx::SizeExpr(int64_t(*width));
  for (AffineExpr size : of(tensor))
    if (std::optional<onnx::SizeExpr> next = product ? inNames(size) : std::nullopt)
      product = product->times(*next);
    else
      return std::nullopt;
  return product;
}

std::optional<Interval> ModelSizes::range(const onnx::SizeExpr &expr) const {
  return expr.range([&](StringRef name) -> std::optional<Interval> {
    auto at = llvm::find(names, name);
    return at == names.end() ? std::nullopt : std::optional(ranges[at - names.begin()]);
  });
}

bool ModelSizes::atMost(const onnx::SizeExpr &a, const onnx::SizeExpr &b) const {
  std::optional<onnx::SizeExpr> between = b.minus(a);
  std::optional<Interval> bounds = between ? range(*between) : std::nullopt;
  return bounds && bounds->min >= 0;
}

std::optional<Interval> ModelSizes::range(AffineExpr expr) const {
  return rangeOf(expr, [&](unsigned symbol) { return ranges[symbol]; });
}

std::optional<uint64_t> ModelSizes::maxBytes(Value tensor) {
  SmallVector<int64_t> bound;
  for (AffineExpr size : of(tensor)) {
    std::optional<Interval> values = range(size);
    if (!values || values->max < 0)
      return std::nullopt;
    bound.push_back(values->max);
  }
  return denseBytes(cast<RankedTensorType>(tensor.getType()).getElementType(), bound);
}

} // namespace burin::plan
