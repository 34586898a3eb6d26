// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the contraction family.

#include "dialects/onnx/shapes/ShapeRule.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace burin::onnx {

// numpy.matmul: vectors are a row on the left and a column on the right, whose
// dimension is dropped again; leading dimensions broadcast.
static FailureOr<Shape> matmulShape(ShapeRule &rule, Shape a, Shape b) {
  if (!a || !b)
    return Shape();
  if (a->empty() || b->empty())
    return rule.error() << "operands must have rank 1 or more, not " << a->size() << " and "
                        << b->size();
  bool row = a->size() == 1, column = b->size() == 1;
  Dim k = a->back(), otherK = column ? b->back() : (*b)[b->size() - 2];
  if (failed(rule.same(k, otherK, "the contracted sizes (columns of A, rows of B)")))
    return failure();
  Shape leadA = Dims(ArrayRef<Dim>(*a).drop_back(row ? 1 : 2));
  Shape leadB = Dims(ArrayRef<Dim>(*b).drop_back(column ? 1 : 2));
  FailureOr<Shape> result = rule.broadcast({leadA, leadB});
  if (failed(result))
    return failure();
  if (!row)
    (*result)->push_back((*a)[a->size() - 2]);
  if (!column)
    (*result)->push_back(b->back());
  return result;
}

LogicalResult inferMatMul(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  bool quantized = isa<QLinearMatMulOp>(op);
  Type element = rule.element(0);
  if (isa<MatMulIntegerOp>(op))
    element = IntegerType::get(op->getContext(), 32, IntegerType::Signed);
  else if (quantized)
    element = rule.element(/*y_zero_point*/ 7);
  FailureOr<Shape> shape = matmulShape(rule, rule.shape(0), rule.shape(quantized ? 3 : 1));
  if (failed(shape))
    return failure();
  return rule.set(0, element, *shape);
}

LogicalResult inferGemm(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 2)) || failed(rule.expectRank(1, 2)))
    return failure();
  Shape a = rule.shape(0), b = rule.shape(1);
  Dims result(2);
  Dim kA, kB;
  if (a) {
    bool transposed = rule.attr("transA", 0) != 0;
    result[0] = (*a)[transposed ? 1 : 0];
    kA = (*a)[transposed ? 0 : 1];
  }
  if (b) {
    bool transposed = rule.attr("transB", 0) != 0;
    result[1] = (*b)[transposed ? 0 : 1];
    kB = (*b)[transposed ? 1 : 0];
  }
  if (failed(rule.same(kA, kB, "the contracted sizes (columns of A, rows of B)")))
    return failure();
  if (Shape c = rule.shape(2)) {
    if (c->size() > 2)
      return rule.error() << "C must have rank 2 or less, not " << c->size();
    // C is broadcast to the product and never widens it.
    for (size_t i = 0; i < c->size(); ++i) {
      Dim size = (*c)[c->size() - 1 - i], into = result[1 - i];
      if (size.isStatic() && into.isStatic() && size.size != 1 && size.size != into.size)
        return rule.error() << "C of size " << size.size << " does not broadcast to " << into.size;
    }
  }
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferDet(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  if (!x)
    return rule.set(0, rule.element(0), std::nullopt);
  if (x->size() < 2)
    return rule.error() << "X must have rank 2 or more, not " << x->size();
  if (failed(rule.same(x->back(), (*x)[x->size() - 2], "the sizes of a matrix of X")))
    return failure();
  return rule.set(0, rule.element(0), Shape(Dims(ArrayRef<Dim>(*x).drop_back(2))));
}

//===- Einsum ---------------------------------------------------------------===//

namespace {
// The labels of one term of an equation: letters, and '.' for the ellipsis.
using Term = SmallString<16>;
} // namespace

static FailureOr<Term> parseTerm(ShapeRule &rule, StringRef text) {
  Term term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ')
      continue;
    if (text.substr(i).starts_with("...") && !StringRef(term).contains('.')) {
      term.push_back('.');
      i += 2;
    } else if (llvm::isAlpha(text[i])) {
      term.push_back(text[i]);
    } else {
      return rule.error() << "'equation' has '" << text.substr(i, 3)
                          << "' where a letter or one ellipsis is expected";
    }
  }
  return term;
}

LogicalResult inferEinsum(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  auto [left, right] = rule.attr("equation", StringRef()).split("->");
  bool explicitResult = rule.attr("equation", StringRef()).contains("->");
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (failed(rule.expectLength("equation", texts.size(), rule.numOperands())))
    return failure();

  llvm::MapVector<char, Dim> sizes;
  llvm::SmallDenseMap<char, unsigned> uses;
  Shape ellipsis = Dims();
  for (auto [i, text] : llvm::enumerate(texts)) {
    FailureOr<Term> term = parseTerm(rule, text);
    if (failed(term))
      return failure();
    Shape shape = rule.shape(i);
    int64_t labels = llvm::count_if(*term, [](char c) { return c != '.'; });
    bool hasEllipsis = StringRef(*term).contains('.');
    if (shape && (hasEllipsis ? int64_t(shape->size()) < labels : int64_t(shape->size()) != labels))
      return rule.error() << "operand " << i << " has rank " << shape->size()
                          << ", but its term in 'equation' has " << labels << " labels";
    size_t at = 0;
    for (char label : *term) {
      if (label == '.') {
        if (!shape) {
          ellipsis.reset();
          continue;
        }
        size_t width = shape->size() - labels;
        if (ellipsis) {
          FailureOr<Shape> merged =
              rule.broadcast({ellipsis, Shape(Dims(ArrayRef<Dim>(*shape).slice(at, width)))});
          if (failed(merged))
            return failure();
          ellipsis = *merged;
        }
        at += width;
        continue;
      }
      ++uses[label];
      Dim size = shape ? (*shape)[at++] : Dim();
      auto [entry, isNew] = sizes.insert({label, size});
      if (!isNew) {
        FailureOr<Dim> merged = rule.broadcast(entry->second, size);
        if (failed(merged))
          return failure();
        entry->second = *merged;
      }
    }
  }

  Term result;
  if (explicitResult) {
    FailureOr<Term> term = parseTerm(rule, right);
    if (failed(term))
      return failure();
    result = *term;
  } else {
    // The implied result: the ellipsis, then the labels used once, sorted.
    if (left.contains("..."))
      result.push_back('.');
    SmallVector<char> once;
    for (auto &[label, size] : sizes)
      if (uses[label] == 1)
        once.push_back(label);
    llvm::sort(once);
    result.append(once.begin(), once.end());
  }

  Shape shape = Dims();
  for (char label : result) {
    if (label == '.') {
      if (!ellipsis)
        return rule.set(0, rule.element(0), std::nullopt);
      shape->append(*ellipsis);
      continue;
    }
    auto entry = sizes.find(label);
    if (entry == sizes.end())
      return rule.error() << "'equation' has the label '" << Twine(label)
                          << "' in its result only";
    shape->push_back(entry->second);
  }
  return rule.set(0, rule.element(0), shape);
}

} // namespace burin::onnx
