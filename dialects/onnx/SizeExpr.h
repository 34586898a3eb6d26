// SPDX-License-Identifier: Apache-2.0
//
// Sizes as functions of named dims: what the strings of #onnx.dims say, and the one
// place that reads and writes them.

#ifndef BURIN_DIALECTS_ONNX_SIZEEXPR_H
#define BURIN_DIALECTS_ONNX_SIZEEXPR_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace burin::onnx {

/// On a module: {name = [min, max]} of each named dim that --dim gives a range.
inline constexpr llvm::StringLiteral dimRangesAttrName = "onnx.dim_ranges";

/// A polynomial over named dims and quotients ("(2 * H - 1) floordiv 3") with whole
/// coefficients, in canonical form: two expressions that are equal by the rules of sums, products
/// and division by numbers have one text. Arithmetic is checked and bounded: nothing where a
/// number overflows or an expression grows beyond what models write.
class SizeExpr {
public:
  using Number = std::optional<int64_t>;

  SizeExpr(int64_t constant = 0);
  /// What a string of #onnx.dims says. A text that is no expression is an opaque name of its own
  /// ("batch-size"), as is one that holds no name.
  static SizeExpr parse(llvm::StringRef text);
  static SizeExpr name(llvm::StringRef name);

  /// The canonical text; a name alone is itself.
  std::string text() const;
  /// The value of an expression without names.
  Number constant() const;
  /// The name where the expression is nothing else.
  std::optional<std::string> asName() const;
  bool operator==(const SizeExpr &other) const { return terms == other.terms; }

  std::optional<SizeExpr> plus(const SizeExpr &other) const;
  std::optional<SizeExpr> minus(const SizeExpr &other) const;
  std::optional<SizeExpr> times(const SizeExpr &other) const;
  /// Rounded down; `divisor` is positive.
  std::optional<SizeExpr> floorDiv(int64_t divisor) const;
  std::optional<SizeExpr> ceilDiv(int64_t divisor) const;
  /// The polynomial that times `divisor` is this one.
  std::optional<SizeExpr> dividedBy(const SizeExpr &divisor) const;

  /// All names, each once, in the order of the text.
  std::vector<std::string> names() const;
  /// With the names that `value` knows as numbers.
  std::optional<SizeExpr> evaluated(llvm::function_ref<Number(llvm::StringRef)> value) const;

  /// An interval of integers, both ends included.
  struct Interval {
    int64_t min, max;
  };
  using Ranges = llvm::function_ref<std::optional<Interval>(llvm::StringRef name)>;
  /// Bounds of the value; nothing where a name has none or they do not fit.
  std::optional<Interval> range(Ranges ranges) const;

  /// As an affine expression (semi-affine where names are multiplied); null where `leaf` does
  /// not know a name.
  mlir::AffineExpr affine(mlir::MLIRContext *context,
                          llvm::function_ref<mlir::AffineExpr(llvm::StringRef)> leaf) const;

private:
  /// What is multiplied: a name, or the floor of a quotient.
  struct Atom;
  /// Sorted texts of atoms; by degree, then by text, the highest first.
  using Product = std::vector<std::string>;
  struct Order {
    bool operator()(const Product &a, const Product &b) const {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    }
  };

  bool add(const Product &product, int64_t factor);
  std::optional<Interval> rangeOfTerms(Ranges ranges) const;
  std::optional<Interval> rangeOfWhole(Ranges ranges) const;
  static Atom atom(llvm::StringRef text);
  class Parser;

  std::map<Product, int64_t, Order> terms; // no factor is 0
};

} // namespace burin::onnx

#endif
