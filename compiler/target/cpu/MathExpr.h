// SPDX-License-Identifier: Apache-2.0
//
// Values with operators, so that a numerical recipe reads as its formula. An
// Expr is a scalar or a vector, of f32, f64 or a signless integer; every
// operator makes one arith op of the operands' common type. Constants are
// splats of that type. No operator carries fast-math flags.

#ifndef BURIN_COMPILER_TARGET_CPU_MATHEXPR_H
#define BURIN_COMPILER_TARGET_CPU_MATHEXPR_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <bit>
#include <vector>

namespace burin {

class Expr {
public:
  Expr(mlir::ImplicitLocOpBuilder &builder, mlir::Value value) : b(&builder), v(value) {}

  mlir::Value value() const { return v; }
  operator mlir::Value() const { return v; }
  mlir::ImplicitLocOpBuilder &builder() const { return *b; }
  mlir::Type type() const { return v.getType(); }
  mlir::Type elementType() const { return mlir::getElementTypeOrSelf(v.getType()); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(elementType()); }
  bool isF64() const { return elementType().isF64(); }
  unsigned width() const { return elementType().getIntOrFloatBitWidth(); }

  /// The type of this shape with another element type.
  mlir::Type typeWith(mlir::Type element) const {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type()))
      return vector.clone(element);
    return element;
  }

  /// A floating-point constant of this type.
  Expr constant(double c) const {
    llvm::APFloat value(c);
    bool inexact;
    value.convert(mlir::cast<mlir::FloatType>(elementType()).getFloatSemantics(),
                  llvm::APFloat::rmNearestTiesToEven, &inexact);
    return splat(b->getFloatAttr(elementType(), value));
  }
  /// An integer constant of this type (of its width, for a float).
  Expr integer(uint64_t c) const {
    mlir::Type element = b->getIntegerType(width());
    auto attr = b->getIntegerAttr(element, llvm::APInt(width(), c, false, true));
    return splat(attr);
  }

  /// The bits of a float as integers of the same width, and back.
  Expr bits() const { return bitcast(b->getIntegerType(width())); }
  Expr asFloat() const {
    return bitcast(width() == 64 ? b->getF64Type() : (mlir::Type)b->getF32Type());
  }
  Expr bitcast(mlir::Type element) const {
    return {*b, mlir::arith::BitcastOp::create(*b, typeWith(element), v)};
  }
  Expr toF64() const { return {*b, mlir::arith::ExtFOp::create(*b, typeWith(b->getF64Type()), v)}; }
  Expr toF32() const {
    return {*b, mlir::arith::TruncFOp::create(*b, typeWith(b->getF32Type()), v)};
  }
  /// A signed integer converted to the float of `element`.
  Expr toFloat(mlir::Type element) const {
    return {*b, mlir::arith::SIToFPOp::create(*b, typeWith(element), v)};
  }
  Expr extendUnsigned(unsigned bitWidth) const {
    return {*b, mlir::arith::ExtUIOp::create(*b, typeWith(b->getIntegerType(bitWidth)), v)};
  }
  Expr truncate(unsigned bitWidth) const {
    return {*b, mlir::arith::TruncIOp::create(*b, typeWith(b->getIntegerType(bitWidth)), v)};
  }

private:
  Expr splat(mlir::TypedAttr attr) const {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type()))
      attr = mlir::DenseElementsAttr::get(vector.clone(attr.getType()), mlir::Attribute(attr));
    return {*b, mlir::arith::ConstantOp::create(*b, attr)};
  }

  mlir::ImplicitLocOpBuilder *b;
  mlir::Value v;
};

template <typename FloatOp, typename IntOp>
Expr makeBinary(const Expr &x, const Expr &y) {
  if (x.isFloat())
    return {x.builder(), FloatOp::create(x.builder(), x.value(), y.value())};
  return {x.builder(), IntOp::create(x.builder(), x.value(), y.value())};
}

inline Expr operator+(const Expr &x, const Expr &y) {
  return makeBinary<mlir::arith::AddFOp, mlir::arith::AddIOp>(x, y);
}
inline Expr operator-(const Expr &x, const Expr &y) {
  return makeBinary<mlir::arith::SubFOp, mlir::arith::SubIOp>(x, y);
}
inline Expr operator*(const Expr &x, const Expr &y) {
  return makeBinary<mlir::arith::MulFOp, mlir::arith::MulIOp>(x, y);
}
inline Expr operator/(const Expr &x, const Expr &y) {
  return {x.builder(), mlir::arith::DivFOp::create(x.builder(), x.value(), y.value())};
}
inline Expr operator-(const Expr &x) {
  return {x.builder(), mlir::arith::NegFOp::create(x.builder(), x.value())};
}
inline Expr operator&(const Expr &x, const Expr &y) {
  return {x.builder(), mlir::arith::AndIOp::create(x.builder(), x.value(), y.value())};
}
inline Expr operator|(const Expr &x, const Expr &y) {
  return {x.builder(), mlir::arith::OrIOp::create(x.builder(), x.value(), y.value())};
}
inline Expr operator^(const Expr &x, const Expr &y) {
  return {x.builder(), mlir::arith::XOrIOp::create(x.builder(), x.value(), y.value())};
}

// With a constant: a float's value, or an integer's (also for shifts, & and |).
inline Expr operator+(const Expr &x, double c) { return x + x.constant(c); }
inline Expr operator-(const Expr &x, double c) { return x - x.constant(c); }
inline Expr operator-(double c, const Expr &x) { return x.constant(c) - x; }
inline Expr operator*(const Expr &x, double c) { return x * x.constant(c); }
inline Expr operator/(double c, const Expr &x) { return x.constant(c) / x; }
inline Expr addInt(const Expr &x, uint64_t c) { return x + x.integer(c); }
inline Expr andInt(const Expr &x, uint64_t c) { return x & x.integer(c); }
inline Expr orInt(const Expr &x, uint64_t c) { return x | x.integer(c); }
inline Expr shiftLeft(const Expr &x, unsigned n) {
  return {x.builder(), mlir::arith::ShLIOp::create(x.builder(), x.value(), x.integer(n).value())};
}
/// Logical shift right.
inline Expr shiftRight(const Expr &x, unsigned n) {
  return {x.builder(), mlir::arith::ShRUIOp::create(x.builder(), x.value(), x.integer(n).value())};
}
inline Expr shiftRightSigned(const Expr &x, unsigned n) {
  return {x.builder(), mlir::arith::ShRSIOp::create(x.builder(), x.value(), x.integer(n).value())};
}

inline Expr fma(const Expr &x, const Expr &y, const Expr &z) {
  return {x.builder(), mlir::math::FmaOp::create(x.builder(), x.value(), y.value(), z.value())};
}
inline Expr fma(const Expr &x, double y, const Expr &z) { return fma(x, x.constant(y), z); }
inline Expr fma(const Expr &x, const Expr &y, double z) { return fma(x, y, x.constant(z)); }
inline Expr fma(const Expr &x, double y, double z) { return fma(x, x.constant(y), x.constant(z)); }
inline Expr abs(const Expr &x) {
  return {x.builder(), mlir::math::AbsFOp::create(x.builder(), x.value())};
}
inline Expr sqrt(const Expr &x) {
  return {x.builder(), mlir::math::SqrtOp::create(x.builder(), x.value())};
}
inline Expr trunc(const Expr &x) {
  return {x.builder(), mlir::math::TruncOp::create(x.builder(), x.value())};
}
inline Expr floor(const Expr &x) {
  return {x.builder(), mlir::math::FloorOp::create(x.builder(), x.value())};
}
/// The magnitude of x with the sign of s.
inline Expr copysign(const Expr &x, const Expr &s) {
  return {x.builder(), mlir::math::CopySignOp::create(x.builder(), x.value(), s.value())};
}

inline Expr compare(mlir::arith::CmpFPredicate predicate, const Expr &x, const Expr &y) {
  return {x.builder(), mlir::arith::CmpFOp::create(x.builder(), predicate, x.value(), y.value())};
}
inline Expr compareInt(mlir::arith::CmpIPredicate predicate, const Expr &x, const Expr &y) {
  return {x.builder(), mlir::arith::CmpIOp::create(x.builder(), predicate, x.value(), y.value())};
}
// Ordered: false where an operand is NaN.
inline Expr operator<(const Expr &x, const Expr &y) {
  return compare(mlir::arith::CmpFPredicate::OLT, x, y);
}
inline Expr operator>(const Expr &x, const Expr &y) {
  return compare(mlir::arith::CmpFPredicate::OGT, x, y);
}
inline Expr operator<(const Expr &x, double c) { return x < x.constant(c); }
inline Expr operator>(const Expr &x, double c) { return x > x.constant(c); }
inline Expr operator>=(const Expr &x, double c) {
  return compare(mlir::arith::CmpFPredicate::OGE, x, x.constant(c));
}
inline Expr operator<=(const Expr &x, double c) {
  return compare(mlir::arith::CmpFPredicate::OLE, x, x.constant(c));
}
inline Expr equal(const Expr &x, const Expr &y) {
  return compare(mlir::arith::CmpFPredicate::OEQ, x, y);
}
inline Expr equal(const Expr &x, double c) { return equal(x, x.constant(c)); }
inline Expr isNaN(const Expr &x) { return compare(mlir::arith::CmpFPredicate::UNO, x, x); }

inline Expr select(const Expr &condition, const Expr &yes, const Expr &no) {
  return {yes.builder(), mlir::arith::SelectOp::create(yes.builder(), condition.value(),
                                                       yes.value(), no.value())};
}
inline Expr select(const Expr &condition, double yes, const Expr &no) {
  return select(condition, no.constant(yes), no);
}
inline Expr select(const Expr &condition, const Expr &yes, double no) {
  return select(condition, yes, yes.constant(no));
}
/// min(x, c) and max(x, c) that keep a NaN x.
inline Expr atMost(const Expr &x, double c) { return select(x > c, c, x); }
inline Expr atLeast(const Expr &x, double c) { return select(x < c, c, x); }

/// c[0] + c[1] x + ... by Horner's rule.
template <size_t n>
Expr polynomial(const Expr &x, const double (&c)[n]) {
  Expr p = x.constant(c[n - 1]);
  for (size_t i = n - 1; i-- > 0;)
    p = fma(p, x, c[i]);
  return p;
}

/// The same with a chain of half as many steps: Horner's rule for the lowest two terms, which decide the rounding,
/// and Estrin's (pairs, then pairs of pairs) for the others.
template <size_t n>
Expr shortPolynomial(const Expr &x, const double (&c)[n]) {
  static_assert(n > 2);
  std::vector<Expr> terms;
  for (size_t i = 2; i < n; i += 2)
    terms.push_back(i + 1 < n ? fma(x, c[i + 1], c[i]) : x.constant(c[i]));
  for (Expr power = x * x; terms.size() > 1; power = power * power) {
    for (size_t i = 0; i + 1 < terms.size(); i += 2)
      terms[i / 2] = fma(terms[i + 1], power, terms[i]);
    if (terms.size() % 2 != 0)
      terms[terms.size() / 2] = terms.back();
    terms.resize((terms.size() + 1) / 2, terms.front());
  }
  return fma(fma(terms.front(), x, c[1]), x, c[0]);
}

} // namespace burin

#endif
