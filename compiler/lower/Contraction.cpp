// SPDX-License-Identifier: Apache-2.0
//
// Sums of products over named dims: matrix products, Einsum, determinants.

#include "compiler/lower/Access.h"
#include "compiler/lower/Contract.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

//===- MatMul ---------------------------------------------------------------===//

/// numpy's matmul on operands of rank 2 or more: batch dims broadcast.
class MatMul {
public:
  MatMul(Lowering &b, Value a, Value c) : b(b) {
    // A vector is a row on the left, a column on the right.
    SmallVector<int64_t> aShape(tensorType(a).getShape()), cShape(tensorType(c).getShape());
    if (aShape.size() == 1) {
      aShape.insert(aShape.begin(), 1);
      a = b.reshape(a, aShape);
    }
    if (cShape.size() == 1) {
      cShape.push_back(1);
      c = b.reshape(c, cShape);
    }
    left = a;
    right = c;
    size_t batch = std::max(aShape.size(), cShape.size()) - 2;
    auto batchSize = [&](ArrayRef<int64_t> shape, size_t i) {
      size_t lead = batch + 2 - shape.size();
      return i < lead ? int64_t(1) : shape[i - lead];
    };
    for (size_t i = 0; i < batch; ++i) {
      int64_t x = batchSize(aShape, i), y = batchSize(cShape, i);
      shape.push_back(x == 1 ? y : x);
    }
    shape.push_back(aShape[aShape.size() - 2]);
    shape.push_back(cShape.back());
    depth = ShapedType::isDynamic(aShape.back()) ? cShape[cShape.size() - 2] : aShape.back();
  }

  /// Map of an operand over (result dims..., k); `last` are its two matrix dims.
  AffineMap map(Value operand, unsigned row, unsigned column) {
    RankedTensorType type = tensorType(operand);
    SmallVector<AffineExpr> exprs;
    int64_t lead = int64_t(shape.size()) - type.getRank();
    for (int64_t i = 0; i + 2 < type.getRank(); ++i)
      exprs.push_back(type.getDimSize(i) == 1 ? b.getAffineConstantExpr(0)
                                              : b.getAffineDimExpr(lead + i));
    exprs.push_back(b.getAffineDimExpr(row));
    exprs.push_back(b.getAffineDimExpr(column));
    return AffineMap::get(shape.size() + 1, 0, exprs, b.getContext());
  }
  AffineMap leftMap() { return map(left, shape.size() - 2, shape.size()); }
  AffineMap rightMap() { return map(right, shape.size(), shape.size() - 1); }

  /// Rows, k, columns: the innermost loop walks columns, which lie side by side.
  SmallVector<unsigned> columnsInnermost() {
    auto order = llvm::to_vector(llvm::seq<unsigned>(0, shape.size() + 1));
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return order;
  }

  /// f32: kern.contract. Batch dims of the right operand that repeat are dropped from it.
  Value contract() {
    RankedTensorType type = tensorType(right);
    int64_t rank = type.getRank(), lead = int64_t(shape.size()) - rank;
    SmallVector<int64_t> rightShape, permutation;
    SmallVector<AffineExpr> leading;
    SmallVector<int64_t> rowSizes; // of one matrix
    for (auto [i, size] : llvm::enumerate(ArrayRef(shape).drop_back())) {
      int64_t of = int64_t(i) - lead;
      bool isBatch = of >= 0 && of + 2 < rank && type.getDimSize(of) != 1;
      if (!isBatch)
        rowSizes.push_back(size);
    }
    bool inPlace = isReadInPlace(right, rowSizes);
    for (int64_t i = 0; i + 2 < rank; ++i) {
      if (type.getDimSize(i) == 1)
        continue;
      permutation.push_back(rightShape.size());
      leading.push_back(b.getAffineDimExpr(lead + i));
      rightShape.push_back(type.getDimSize(i));
    }
    int64_t batch = rightShape.size();
    rightShape.append({depth, type.getDimSize(rank - 1)});
    permutation.append({batch + 1, batch});
    Value panels = inPlace ? right
                   : type.hasStaticShape()
                       ? packPanels(b, right, rightShape, permutation, batch)
                       : packColumns(b, b.reshape(right, ArrayRef<int64_t>(rightShape)));
    SmallVector<Value> dynamic;
    for (int64_t i = 0, all = shape.size(); i < all; ++i)
      if (ShapedType::isDynamic(shape[i])) {
        int64_t ofLeft = i - (all - tensorType(left).getRank()), ofRight = i - lead;
        bool isLeft = i != all - 1 && ofLeft >= 0 && tensorType(left).getDimSize(ofLeft) != 1;
        dynamic.push_back(isLeft ? tensor::DimOp::create(b, left, ofLeft)
                                 : tensor::DimOp::create(b, right, ofRight));
      }
    return lower::contract(b, RankedTensorType::get(shape, b.getF32Type()), left, panels, leftMap(),
                           inPlace ? rightMap()
                                   : AffineMap::get(shape.size(), 0, leading, b.getContext()),
                           {depth}, {}, nullptr, dynamic);
  }

  Lowering &b;
  Value left, right;
  SmallVector<int64_t> shape; // of the result, without the vectors' dims dropped
  int64_t depth;
};

LogicalResult needStatic(Lowering &b) {
  return b.unsupported("its sizes are known only when the model runs; fix them with --dim NAME=VALUE");
}

FailureOr<SmallVector<Value>> lowerMatMul(Lowering &b, Operation *, ValueRange operands) {
  RankedTensorType result = b.resultType();
  if (!result || !isa<RankedTensorType>(operands[0].getType()) ||
      !isa<RankedTensorType>(operands[1].getType()))
    return needStatic(b);
  MatMul product(b, operands[0], operands[1]);
  Type element = result.getElementType();
  Value value;
  if (element.isF32()) {
    value = product.contract();
  } else {
    value = multiplyAccumulate(b, product.shape, accumulatorType(element),
                               {{product.left, product.leftMap()}, {product.right, product.rightMap()}},
                               1, product.columnsInnermost());
    if (isa<FloatType>(element))
      value = convertFloat(b, value, element);
  }
  if (product.shape.size() != size_t(result.getRank()))
    value = b.reshape(value, result.getShape());
  return SmallVector<Value>{value};
}

//===- Integer matrix products ----------------------------------------------===//

/// A zero point or scale of an operand of a product, as numpy broadcasts it to the
/// operand; a vector belongs to the left operand's rows.
Value alignToRows(Lowering &b, Value value, bool isLeft) {
  RankedTensorType type = tensorType(value);
  if (isLeft && type.getRank() == 1 && type.getDimSize(0) != 1)
    return b.reshape(value, {type.getDimSize(0), 1});
  return value;
}

/// Sums of products in i32 of (left - its zero point) and (right - its zero point).
Value integerProduct(Lowering &b, MatMul &product, bool leftUnsigned, Value leftZero,
                     bool rightUnsigned, Value rightZero) {
  auto factor = [&](Value value, AffineMap map, bool isUnsigned, Value zero, bool isLeft) {
    Factor made{value, map, isUnsigned};
    if (zero) {
      zero = alignToRows(b, zero, isLeft);
      // A vector times a matrix has no row dim of its own: drop leading units.
      RankedTensorType type = tensorType(zero);
      int64_t rank = tensorType(value).getRank();
      SmallVector<int64_t> shape(type.getShape());
      while (int64_t(shape.size()) > rank && shape.front() == 1)
        shape.erase(shape.begin());
      made.zeroPoint = b.reshape(zero, shape);
      made.zeroPointMap = b.broadcastMap(tensorType(made.zeroPoint), tensorType(value)).compose(map);
    }
    return made;
  };
  return multiplyAccumulate(
      b, product.shape, b.getI32Type(),
      {factor(product.left, product.leftMap(), leftUnsigned, leftZero, true),
       factor(product.right, product.rightMap(), rightUnsigned, rightZero, false)},
      1, product.columnsInnermost());
}

FailureOr<SmallVector<Value>> lowerMatMulInteger(Lowering &b, Operation *op, ValueRange operands) {
  RankedTensorType result = b.resultType();
  MatMul product(b, operands[0], operands[1]);
  if (!result)
    return needStatic(b);
  auto optional = [&](unsigned i) { return b.isAbsent(i) ? Value() : operands[i]; };
  Value value = integerProduct(b, product, isUnsigned(elementType(op->getOperand(0))), optional(2),
                               isUnsigned(elementType(op->getOperand(1))), optional(3));
  return SmallVector<Value>{b.reshape(value, result.getShape())};
}

FailureOr<SmallVector<Value>> lowerQLinearMatMul(Lowering &b, Operation *op, ValueRange operands) {
  RankedTensorType result = b.resultType();
  MatMul product(b, operands[0], operands[3]);
  if (!result || !isa<IntegerType>(result.getElementType()))
    return needStatic(b);
  Value sums = integerProduct(b, product, isUnsigned(elementType(op->getOperand(0))), operands[2],
                              isUnsigned(elementType(op->getOperand(3))), operands[5]);
  Value value = requantize(
      b, RankedTensorType::get(product.shape, result.getElementType()), sums,
      {alignToRows(b, operands[1], true), alignToRows(b, operands[4], false)},
      alignToRows(b, operands[6], true), alignToRows(b, operands[7], true),
      isUnsigned(elementType(op->getResult(0))));
  return SmallVector<Value>{b.reshape(value, result.getShape())};
}

//===- Gemm -----------------------------------------------------------------===//

FailureOr<SmallVector<Value>> lowerGemm(Lowering &b, Operation *op, ValueRange operands) {
  auto gemm = cast<onnx::GemmOp>(op);
  RankedTensorType result = b.resultType();
  RankedTensorType aType = tensorType(operands[0]), bType = tensorType(operands[1]);
  if (!result || aType.getRank() != 2 || bType.getRank() != 2)
    return needStatic(b);
  bool transA = gemm.getTransA() != 0, transB = gemm.getTransB() != 0;
  double alpha = gemm.getAlpha().convertToFloat(), beta = gemm.getBeta().convertToFloat();
  int64_t depth = bType.getDimSize(transB ? 1 : 0);
  if (ShapedType::isDynamic(depth))
    depth = aType.getDimSize(transA ? 0 : 1);
  AffineExpr m = b.getAffineDimExpr(0), n = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  auto map = [&](AffineExpr x, AffineExpr y) { return AffineMap::get(3, 0, {x, y}, b.getContext()); };
  AffineMap aMap = transA ? map(k, m) : map(m, k), bMap = transB ? map(n, k) : map(k, n);
  Value c = b.isAbsent(2) ? Value() : operands[2];
  if (c) {
    int64_t lead = 2 - tensorType(c).getRank();
    auto sizes = b.sizes(op->getResult(0));
    for (auto [i, size] : llvm::enumerate(b.sizes(op->getOperand(2))))
      if (!(size == onnx::SizeExpr(1)) && !(size == sizes[lead + i]))
        return b.unsupported("its third operand is not known to be of the result's sizes; fix them "
                             "with --dim NAME=VALUE");
  }

  // alpha * sum + beta * c, on elements of the accumulator's type.
  auto combine = [&](Lowering &inner, ValueRange elements) -> Value {
    Value sum = elements[0];
    Type type = sum.getType();
    bool isFloat = isa<FloatType>(type);
    auto times = [&](Value value, double factor) -> Value {
      if (factor == 1)
        return value;
      Value constant = inner.scalar(type, factor);
      return isFloat ? Value(arith::MulFOp::create(inner, value, constant))
                     : Value(arith::MulIOp::create(inner, value, constant));
    };
    sum = times(sum, alpha);
    if (elements.size() == 1)
      return sum;
    Value added = elements[1];
    if (added.getType() != type)
      added = arith::ExtFOp::create(inner, type, added);
    added = times(added, beta);
    return isFloat ? Value(arith::AddFOp::create(inner, sum, added))
                   : Value(arith::AddIOp::create(inner, sum, added));
  };

  Type element = result.getElementType();
  if (element.isF32()) {
    Value panels = bType.hasStaticShape()
                       ? packPanels(b, operands[1], bType.getShape(),
                                    transB ? ArrayRef<int64_t>{0, 1} : ArrayRef<int64_t>{1, 0}, 0)
                       : packColumns(b, transB ? b.transpose(operands[1], {1, 0}) : operands[1]);
    SmallVector<Value> dynamic;
    if (result.isDynamicDim(0))
      dynamic.push_back(tensor::DimOp::create(b, operands[0], transA ? 1 : 0));
    if (result.isDynamicDim(1))
      dynamic.push_back(tensor::DimOp::create(b, operands[1], transB ? 0 : 1));
    return SmallVector<Value>{contract(b, result, operands[0], panels, aMap,
                                       AffineMap::get(2, 0, b.getContext()), {depth},
                                       c ? ValueRange{c} : ValueRange{}, combine, dynamic)};
  }
  Value sums = multiplyAccumulate(b, result.getShape(), accumulatorType(element),
                                  {{operands[0], aMap}, {operands[1], bMap}}, 1, {0, 2, 1});
  SmallVector<Value> inputs{sums};
  if (c)
    inputs.push_back(c);
  auto wide = RankedTensorType::get(result.getShape(), accumulatorType(element));
  Value value = b.broadcasting(wide, inputs, combine);
  return SmallVector<Value>{isa<FloatType>(element) ? convertFloat(b, value, element) : value};
}

//===- Einsum ---------------------------------------------------------------===//

/// An equation with its ellipses spelt out: labels are numbers.
struct Equation {
  SmallVector<SmallVector<unsigned>> inputs;
  SmallVector<unsigned> output;
  SmallVector<onnx::SizeExpr> sizes; // of each label
};

/// Parses `text` for operands of the given shapes, or says why not.
std::optional<Equation> parseEquation(StringRef text, ArrayRef<SmallVector<onnx::SizeExpr>> shapes,
                                      std::string &reason) {
  const onnx::SizeExpr one(1);
  std::string packed;
  for (char c : text)
    if (!isspace(static_cast<unsigned char>(c)))
      packed += c;
  auto [left, right] = StringRef(packed).split("->");
  bool isExplicit = StringRef(packed).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  auto fail = [&](const Twine &why) -> std::optional<Equation> {
    reason = ("the equation '" + text + "' " + why).str();
    return std::nullopt;
  };
  if (terms.size() != shapes.size())
    return fail("does not name as many operands as there are");

  // Labels in order of appearance; the ellipsis's dims count from the last.
  Equation equation;
  std::map<std::string, unsigned> labels;
  auto label = [&](const std::string &name) {
    auto [it, inserted] = labels.try_emplace(name, labels.size());
    if (inserted)
      equation.sizes.push_back(1);
    return it->second;
  };
  size_t ellipsis = 0;
  for (auto [term, shape] : llvm::zip_equal(terms, shapes)) {
    if (!term.contains("..."))
      continue;
    if (term.size() - 3 > shape.size())
      return fail("names more dims than an operand has");
    ellipsis = std::max(ellipsis, shape.size() - (term.size() - 3));
  }
  auto read = [&](StringRef term, size_t hidden,
                  SmallVectorImpl<unsigned> &into) -> bool {
    for (size_t i = 0; i < term.size(); ++i) {
      if (term.substr(i).starts_with("...")) {
        for (size_t d = hidden; d-- > 0;)
          into.push_back(label("..." + std::to_string(d)));
        i += 2;
      } else if (llvm::isAlpha(term[i])) {
        into.push_back(label(std::string(1, term[i])));
      } else {
        return false;
      }
    }
    return true;
  };
  for (auto [term, shape] : llvm::zip_equal(terms, shapes)) {
    SmallVector<unsigned> dims;
    size_t hidden = term.contains("...") ? shape.size() - (term.size() - 3) : 0;
    if (!read(term, hidden, dims) || dims.size() != shape.size())
      return fail("does not fit its operands");
    for (auto [dim, size] : llvm::zip_equal(dims, shape)) {
      if (!(equation.sizes[dim] == one) && !(size == one) && !(equation.sizes[dim] == size))
        return fail("gives one dim two sizes");
      equation.sizes[dim] = size == one ? equation.sizes[dim] : size;
    }
    equation.inputs.push_back(dims);
  }
  size_t known = labels.size();
  if (isExplicit) {
    if (!read(right, ellipsis, equation.output) || labels.size() != known)
      return fail("has a result that its operands do not give");
  } else {
    for (size_t d = ellipsis; d-- > 0;)
      equation.output.push_back(label("..." + std::to_string(d)));
    for (auto &[name, number] : labels) // sorted by name
      if (name.size() == 1 && llvm::count(left, name[0]) == 1)
        equation.output.push_back(number);
  }
  llvm::SmallDenseSet<unsigned> seen;
  for (unsigned dim : equation.output)
    if (!seen.insert(dim).second)
      return fail("names a dim of the result twice");
  return equation;
}

/// Two f32 operands, each label at most once in each: kern.contract, if the right operand
/// has a column dim. Null where this is not such a product.
Value contractEquation(Lowering &b, const Equation &equation, ArrayRef<SmallVector<onnx::SizeExpr>> shapes,
                       ValueRange operands, unsigned leftAt, unsigned rightAt) {
  Value left = operands[leftAt], right = operands[rightAt];
  ArrayRef<unsigned> leftDims = equation.inputs[leftAt], rightDims = equation.inputs[rightAt];
  auto has = [](ArrayRef<unsigned> dims, unsigned label) { return llvm::is_contained(dims, label); };
  auto isFull = [&](unsigned operand) {
    llvm::SmallDenseSet<unsigned> seen;
    for (auto [dim, size] : llvm::zip_equal(equation.inputs[operand], shapes[operand]))
      if (!seen.insert(dim).second || !(size == equation.sizes[dim]))
        return false;
    return true;
  };
  if (!isFull(leftAt) || !isFull(rightAt))
    return nullptr;
  // The column dim is the last one of the result that only the right operand has.
  std::optional<unsigned> column;
  SmallVector<unsigned> parallel, reduction;
  for (unsigned dim : equation.output)
    if (has(rightDims, dim) && !has(leftDims, dim))
      column = dim;
  for (unsigned dim : leftDims)
    if (!has(equation.output, dim)) {
      if (!has(rightDims, dim))
        return nullptr;
      reduction.push_back(dim);
    }
  for (unsigned dim : rightDims)
    if (!has(equation.output, dim) && !has(leftDims, dim))
      return nullptr;
  if (!column || reduction.empty())
    return nullptr;
  for (unsigned dim : equation.output)
    if (dim != *column)
      parallel.push_back(dim);
  parallel.push_back(*column);

  SmallVector<unsigned> loops(parallel);
  loops.append(reduction);
  auto loopOf = [&](unsigned dim) { return b.getAffineDimExpr(llvm::find(loops, dim) - loops.begin()); };
  SmallVector<AffineExpr> aExprs, bExprs;
  for (unsigned dim : leftDims)
    aExprs.push_back(loopOf(dim));
  SmallVector<int64_t> permutation, last;
  for (auto [i, dim] : llvm::enumerate(rightDims))
    if (has(equation.output, dim) && dim != *column) {
      permutation.push_back(i);
      bExprs.push_back(loopOf(dim));
    }
  int64_t leading = permutation.size();
  permutation.push_back(llvm::find(rightDims, *column) - rightDims.begin());
  for (unsigned dim : reduction)
    permutation.push_back(llvm::find(rightDims, dim) - rightDims.begin());
  auto sizesOf = [&](ArrayRef<unsigned> dims) {
    return llvm::map_to_vector(dims, [&](unsigned dim) { return equation.sizes[dim]; });
  };
  auto folded = b.tensorOf(sizesOf(reduction), b.getF32Type());
  if (!folded.hasStaticShape() && reduction.size() > 1)
    return nullptr;
  Value panels;
  if (tensorType(right).hasStaticShape()) {
    panels = packPanels(b, right, tensorType(right).getShape(), permutation, leading);
  } else { // [leading..., reduction as one, column]
    std::rotate(permutation.begin() + leading, permutation.begin() + leading + 1, permutation.end());
    Value matrices = b.transpose(right, permutation);
    SmallVector<int64_t> shape(tensorType(matrices).getShape().take_front(leading));
    shape.push_back(reduction.size() == 1 ? folded.getDimSize(0) : folded.getNumElements());
    shape.push_back(tensorType(matrices).getShape().back());
    panels = packColumns(b, b.reshape(matrices, shape));
  }
  auto sizes = sizesOf(parallel);
  Value value = contract(b, b.tensorOf(sizes, b.getF32Type()), left, panels,
                         AffineMap::get(loops.size(), 0, aExprs, b.getContext()),
                         AffineMap::get(parallel.size(), 0, bExprs, b.getContext()),
                         folded.getShape(), {}, nullptr, b.openSizes(sizes));
  SmallVector<int64_t> back;
  for (unsigned dim : equation.output)
    back.push_back(llvm::find(parallel, dim) - parallel.begin());
  return llvm::is_sorted(back) ? value : b.transpose(value, back);
}

FailureOr<SmallVector<Value>> lowerEinsum(Lowering &b, Operation *op, ValueRange operands) {
  RankedTensorType result = b.resultType();
  SmallVector<SmallVector<onnx::SizeExpr>> shapes;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type || !b.hasRanges(type))
      return needStatic(b);
    shapes.push_back(b.sizes(operand));
  }
  std::string reason;
  std::optional<Equation> equation =
      parseEquation(cast<onnx::EinsumOp>(op).getEquation(), shapes, reason);
  if (!equation)
    return b.unsupported(reason);
  SmallVector<onnx::SizeExpr> shape;
  for (unsigned dim : equation->output)
    shape.push_back(equation->sizes[dim]);
  if (!result || b.sizes(op->getResult(0)) != shape)
    return needStatic(b);

  Type element = result.getElementType();
  if (operands.size() == 2 && element.isF32()) {
    if (Value value = contractEquation(b, *equation, shapes, operands, 0, 1))
      return SmallVector<Value>{value};
    if (Value value = contractEquation(b, *equation, shapes, operands, 1, 0))
      return SmallVector<Value>{value};
  }

  // All operands at once: the result's labels, then the others.
  SmallVector<unsigned> loops(equation->output);
  for (unsigned dim = 0; dim < equation->sizes.size(); ++dim)
    if (!llvm::is_contained(loops, dim))
      loops.push_back(dim);
  SmallVector<Factor> factors;
  for (auto [operand, dims, sizes] : llvm::zip_equal(operands, equation->inputs, shapes)) {
    SmallVector<AffineExpr> exprs;
    for (auto [dim, size] : llvm::zip_equal(dims, sizes))
      exprs.push_back(!(size == equation->sizes[dim])
                          ? b.getAffineConstantExpr(0)
                          : b.getAffineDimExpr(llvm::find(loops, dim) - loops.begin()));
    factors.push_back({operand, AffineMap::get(loops.size(), 0, exprs, b.getContext())});
  }
  Value value = multiplyAccumulate(b, result.getShape(), accumulatorType(element), factors,
                                   loops.size() - shape.size());
  return SmallVector<Value>{isa<FloatType>(element) ? convertFloat(b, value, element) : value};
}

//===- Det ------------------------------------------------------------------===//

/// Gaussian elimination with partial pivoting, one matrix after the other.
FailureOr<SmallVector<Value>> lowerDet(Lowering &b, Operation *op, ValueRange operands) {
  RankedTensorType type = tensorType(operands[0]), result = b.resultType();
  if (!result || type.getRank() < 2 || ShapedType::isDynamicShape(type.getShape().take_back(2)))
    return needStatic(b);
  auto sizes = b.sizes(op->getOperand(0));
  int64_t n = type.getDimSize(type.getRank() - 1);
  std::optional<onnx::SizeExpr> count = productOf(ArrayRef(sizes).drop_back(2));
  if (!count)
    return needStatic(b);
  SmallVector<onnx::SizeExpr> all{*count, n, n};
  Type element = type.getElementType(), wide = accumulatorType(element);
  RankedTensorType matrices = b.tensorOf(all, wide);
  Value input = convertFloat(b, b.reshape(operands[0], sizes, all), wide);
  // A copy: elimination writes into it.
  Value work = b.parallel(matrices, {input}, {b.getMultiDimIdentityMap(3)},
                          [](Lowering &, ValueRange elements) { return elements[0]; });
  Value zero = b.index(0), one = b.index(1), size = b.index(n);
  auto at = [&](Value tensor, ValueRange where) -> Value {
    return tensor::ExtractOp::create(b, tensor, where);
  };
  auto put = [&](Value value, Value tensor, ValueRange where) -> Value {
    return tensor::InsertOp::create(b, value, tensor, where);
  };
  /// A counted loop that carries values.
  auto loop = [&](Value from, Value to, ValueRange carried,
                  llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    auto made = scf::ForOp::create(b, from, to, one, carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(made.getBody());
    scf::YieldOp::create(b, body(made.getInductionVar(), made.getRegionIterArgs()));
    return SmallVector<Value>(made.getResults());
  };

  Value out = b.empty(b.tensorOf({*count}, wide), b.openSizes({*count}));
  SmallVector<Value> done = loop(zero, b.size(*count), {work, out}, [&](Value m, ValueRange state) {
    SmallVector<Value> steps = loop(
        zero, size, {state[0], b.scalar(wide, 1)}, [&](Value c, ValueRange carried) {
          Value matrix = carried[0], det = carried[1];
          // The largest element at or below the diagonal.
          SmallVector<Value> pivot = loop(
              c, size, {c, b.scalar(wide, -1)}, [&](Value r, ValueRange best) {
                Value magnitude = math::AbsFOp::create(b, at(matrix, {m, r, c}));
                Value more = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, magnitude, best[1]);
                return SmallVector<Value>{arith::SelectOp::create(b, more, r, best[0]),
                                          arith::SelectOp::create(b, more, magnitude, best[1])};
              });
          Value row = pivot[0];
          Value swapped = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, row, c);
          det = arith::SelectOp::create(b, swapped, arith::NegFOp::create(b, det), det);
          matrix = loop(zero, size, {matrix}, [&](Value j, ValueRange inner) {
            Value x = at(inner[0], {m, c, j}), y = at(inner[0], {m, row, j});
            Value once = put(y, inner[0], {m, c, j});
            return SmallVector<Value>{put(x, once, {m, row, j})};
          })[0];
          Value diagonal = at(matrix, {m, c, c});
          det = arith::MulFOp::create(b, det, diagonal);
          Value singular = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, diagonal,
                                                 b.scalar(wide, 0));
          matrix = loop(
              arith::AddIOp::create(b, c, one), size, {matrix}, [&](Value r, ValueRange rows) {
                Value ratio = arith::DivFOp::create(b, at(rows[0], {m, r, c}), diagonal);
                ratio = arith::SelectOp::create(b, singular, b.scalar(wide, 0), ratio);
                return loop(c, size, {rows[0]}, [&](Value j, ValueRange inner) {
                  Value product = arith::MulFOp::create(b, ratio, at(inner[0], {m, c, j}));
                  Value left = arith::SubFOp::create(b, at(inner[0], {m, r, j}), product);
                  return SmallVector<Value>{put(left, inner[0], {m, r, j})};
                });
              })[0];
          return SmallVector<Value>{matrix, det};
        });
    return SmallVector<Value>{steps[0], put(steps[1], state[1], {m})};
  });
  return SmallVector<Value>{b.reshape(convertFloat(b, done[1], element), {*count},
                                      b.sizes(op->getResult(0)))};
}

} // namespace

void burin::lower::registerContraction(RuleTable &table) {
  table.add<onnx::MatMulOp>(lowerMatMul, Sizes::Dynamic);
  table.add<onnx::MatMulIntegerOp>(lowerMatMulInteger, Sizes::Dynamic);
  table.add<onnx::QLinearMatMulOp>(lowerQLinearMatMul, Sizes::Dynamic);
  table.add<onnx::GemmOp>(lowerGemm, Sizes::Dynamic);
  table.add<onnx::EinsumOp>(lowerEinsum, Sizes::Dynamic);
  table.add<onnx::DetOp>(lowerDet, Sizes::Dynamic);
}
