// SPDX-License-Identifier: Apache-2.0
//
// Which loop of a structured op on buffers becomes the lanes of a vector, and how.

#ifndef BURIN_COMPILER_TARGET_CPU_VECTORLOOP_H
#define BURIN_COMPILER_TARGET_CPU_VECTORLOOP_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <functional>
#include <optional>

namespace burin::cpu {

constexpr int64_t lanesOfLoop = 16;
/// A reduced row at least this long has four times the lanes, to hide the combiner's latency.
constexpr int64_t longRow = 256, lanesOfLongRow = 64;

/// How lanes of an accumulator are put together.
struct Combiner {
  mlir::TypedAttr neutral;
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::Value, mlir::Value)> combine;
};

/// The combiner of output `index`; none where the accumulator is used in another way.
std::optional<Combiner> matchCombiner(mlir::linalg::GenericOp op, unsigned index);

/// How an operand moves from lane to lane.
enum class Access { Invariant, Contiguous, Strided, Unknown };

Access accessAlong(mlir::linalg::GenericOp op, mlir::OpOperand &operand, unsigned dim);

/// What the body computes can be done lane by lane.
bool isVectorizable(mlir::linalg::GenericOp op);

/// The loop whose iterations become lanes.
struct Choice {
  unsigned dim;
  bool reduction;
};

/// The loop that costs least as lanes; none where scalar loops do as well.
std::optional<Choice> chooseLoop(mlir::linalg::GenericOp op);

/// Whether a load in a body reads neighbours as loop `dim` goes on.
bool readsRowsOf(mlir::memref::LoadOp load, unsigned dim);

/// The loop along which what the lanes of `choice` would gather lies without gaps: squares of both loops
/// can be loaded in rows and turned in registers. None where nothing is gathered, or that cannot be.
std::optional<unsigned> findTurn(mlir::linalg::GenericOp op, const Choice &choice);

/// Adjacent loops that every operand walks as one become one, so that the lanes' loop is long. Returns
/// the op in the place of `op`.
mlir::linalg::GenericOp joinLoops(mlir::RewriterBase &rewriter, mlir::linalg::GenericOp op);

} // namespace burin::cpu

#endif
