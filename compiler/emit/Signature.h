// SPDX-License-Identifier: Apache-2.0
//
// What an artifact takes and gives, over all of its variants: what its tables, its
// header and its reports say.

#ifndef BURIN_COMPILER_EMIT_SIGNATURE_H
#define BURIN_COMPILER_EMIT_SIGNATURE_H

#include "burin/burin.h"
#include "compiler/plan/Sizes.h"

#include <string>
#include <vector>

namespace burin {

/// An input or output.
struct TensorSignature {
  std::string name;
  mlir::Type element;              // as the model has it
  std::vector<int64_t> shape;      // -1 - d where it is dim d of the signature
  std::vector<std::string> dimNames; // "" where the model has none
  uint64_t maxBytes = 0;           // dense, at its bound in the variant that takes most
};

/// What a context keeps from run to run: an input and an output in one.
struct StateSignature : TensorSignature {
  std::string output;          // the output's name
  uint64_t offset = 0;         // of its memory
  int64_t axis = -1;           // that grows
  unsigned length = 0, next = 0; // dims, where it grows
};

/// The tensors at the boundary of the main programs (the functions of `planned`, all of one
/// model), and the sizes that not all requests share.
class Signature {
public:
  explicit Signature(mlir::ModuleOp planned);

  /// A size that not all requests share.
  struct Dim {
    std::string name; // "past + 1" where it is computed, or what the model calls it
    plan::Interval range;
    std::vector<mlir::AffineExpr> values; // by variant, over the dims of its main program
    burin_dim_kind kind;
  };

  /// One main program.
  struct Variant {
    mlir::func::FuncOp main;
    plan::ModelSizes sizes;
    std::string name; // "batch=8 seq=1..512", "" where there is only one
  };

  std::vector<TensorSignature> inputs, outputs;
  std::vector<StateSignature> states;
  std::vector<Dim> dims;
  unsigned namedDims = 0; // the first ones: those that others are computed from
  std::vector<Variant> variants;

  /// How requests run as one: the dim that counts their rows, and the axis of each tensor that has
  /// it (-1: none), inputs first.
  struct Batch {
    unsigned dim;
    std::vector<int32_t> axes;
  };
  std::optional<Batch> batch;

  /// What dim `d` can be in variant `v`.
  plan::Interval range(unsigned d, unsigned v) const {
    return variants[v].sizes.range(dims[d].values[v]).value_or(plan::Interval{0, 0});
  }

private:
  void nameDims();
  void addState(unsigned argument);
  TensorSignature tensor(llvm::function_ref<mlir::Value(mlir::func::FuncOp)> of,
                         mlir::DictionaryAttr attrs, const llvm::Twine &fallback);
  int64_t size(std::vector<mlir::AffineExpr> values, llvm::StringRef name);
};

} // namespace burin

#endif
