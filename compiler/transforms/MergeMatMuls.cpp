// SPDX-License-Identifier: Apache-2.0
//
// Products of one tensor with several constant weights are one product with the weights side by
// side: queries, keys and values. Only where nothing but views and transposes reads them, since
// what else does is fused into the product that it reads.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_MERGEMATMULS
#include "compiler/transforms/Passes.h.inc"

namespace {

/// One of the products that share `a`.
struct Part {
  Operation *op; // MatMul, or Gemm
  Value weight;
  Value bias;      // of one dim, or null
  Operation *last; // whose result is the product, with its bias
};

RankedTensorType tensorOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

bool isOnlyMoved(Value value) {
  return !value.use_empty() && llvm::all_of(value.getUsers(), [](Operation *user) {
    return isa<onnx::ReshapeOp, onnx::TransposeOp, onnx::SplitOp, onnx::SliceOp,
               onnx::RotaryEmbeddingOp, onnx::AttentionOp>(user);
  });
}

class Merge {
public:
  explicit Merge(Value a) : a(a) {}

  void run() {
    for (Operation *user : a.getUsers())
      if (auto matmul = dyn_cast<onnx::MatMulOp>(user))
        add(matmul);
    merge();
    for (bool transposed : {false, true}) {
      parts.clear();
      for (Operation *user : a.getUsers())
        if (auto gemm = dyn_cast<onnx::GemmOp>(user); gemm && bool(gemm.getTransB()) == transposed)
          add(gemm);
      merge();
    }
  }

private:
  bool takes(Operation *op, Value weight) {
    auto type = tensorOf(weight), result = tensorOf(op->getResult(0));
    return type && type.hasStaticShape() && type.getRank() == 2 && result && result.getRank() > 0 &&
           op->getOperand(0) == a && isa<FloatType>(type.getElementType()) &&
           match::isMadeOfConstants(weight) && weight.hasOneUse();
  }

  void add(onnx::MatMulOp op) {
    if (!takes(op, op.getB()))
      return;
    Part part{op, op.getB(), nullptr, op};
    if (op.getY().hasOneUse())
      if (auto sum = dyn_cast<onnx::AddOp>(*op.getY().user_begin())) {
        Value bias = sum.getA() == op.getY() ? sum.getB() : sum.getA();
        auto type = tensorOf(bias);
        if (type && type.getRank() == 1 &&
            type.getDimSize(0) == tensorOf(part.weight).getDimSize(1) &&
            match::isMadeOfConstants(bias) && sum.getType() == op.getType()) {
          part.bias = bias;
          part.last = sum;
        }
      }
    if (isOnlyMoved(part.last->getResult(0)))
      parts.push_back(part);
  }

  void add(onnx::GemmOp op) {
    if (!takes(op, op.getB()) || op.getTransA() != 0 || op.getAlpha().convertToDouble() != 1 ||
        op.getBeta().convertToDouble() != 1)
      return;
    Part part{op, op.getB(), nullptr, op};
    if (!isa<NoneType>(op.getC().getType())) {
      auto type = tensorOf(op.getC());
      if (!type || type.getRank() != 1 || !match::isMadeOfConstants(op.getC()) ||
          type.getDimSize(0) != tensorOf(part.weight).getDimSize(op.getTransB() ? 0 : 1))
        return;
      part.bias = op.getC();
    }
    if (isOnlyMoved(op.getY()))
      parts.push_back(part);
  }

  void merge() {
    if (parts.size() < 2)
      return;
    // In the order of the model, and where the first of them is.
    llvm::sort(parts, [](const Part &x, const Part &y) { return x.op->isBeforeInBlock(y.op); });
    if (!llvm::all_of(parts, [&](const Part &part) {
          return part.op->getBlock() == parts[0].op->getBlock();
        }))
      return;
    Operation *first = parts[0].op;
    auto gemm = dyn_cast<onnx::GemmOp>(first);
    unsigned axis = gemm && gemm.getTransB() ? 0 : 1;
    SmallVector<Location> locations;
    SmallVector<int64_t> columns;
    SmallVector<Value> weights, biases;
    bool hasBias = llvm::any_of(parts, [](const Part &part) { return bool(part.bias); });
    OpBuilder b(first);
    Type element = tensorOf(parts[0].weight).getElementType();
    for (const Part &part : parts) {
      // Constants stand before the first product, whichever they belonged to.
      hoist(part.weight, first);
      locations.push_back(part.last->getLoc());
      columns.push_back(tensorOf(part.weight).getDimSize(axis));
      weights.push_back(part.weight);
      if (part.bias)
        hoist(part.bias, first);
      biases.push_back(part.bias || !hasBias
                           ? part.bias
                           : match::constant(b, part.op->getLoc(),
                                             RankedTensorType::get(columns.back(), element), 0));
    }
    int64_t width = 0;
    for (int64_t size : columns)
      width += size;
    Location loc = b.getFusedLoc(locations);
    auto wide = [&](RankedTensorType type, unsigned at) {
      SmallVector<int64_t> shape(type.getShape());
      shape[at] = width;
      return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
    };
    Value weight = onnx::ConcatOp::create(b, loc, wide(tensorOf(weights[0]), axis), weights, axis);
    Value bias;
    if (hasBias)
      bias = onnx::ConcatOp::create(b, loc, wide(tensorOf(biases[0]), 0), biases, 0);
    RankedTensorType narrow = tensorOf(first->getResult(0));
    auto type = wide(narrow, unsigned(narrow.getRank()) - 1);
    Operation *made = b.clone(*first);
    made->setLoc(loc);
    made->setOperand(1, weight);
    made->getResult(0).setType(type);
    Value product = made->getResult(0);
    if (hasBias && gemm)
      made->setOperand(2, bias);
    else if (hasBias)
      product = onnx::AddOp::create(b, loc, type, product, bias);
    SmallVector<Type> types;
    for (const Part &part : parts)
      types.push_back(part.last->getResult(0).getType());
    Value sizes = match::constant(b, loc, columns);
    auto split = onnx::SplitOp::create(b, loc, types, product, sizes,
                                       /*axis=*/int64_t(narrow.getRank()) - 1,
                                       /*num_outputs=*/IntegerAttr());
    for (auto [part, value] : llvm::zip_equal(parts, split.getOutputs())) {
      part.last->getResult(0).replaceAllUsesWith(value);
      if (part.last != part.op)
        part.last->erase();
      part.op->erase();
    }
  }

  /// Moves what makes a constant before `where`.
  static void hoist(Value value, Operation *where) {
    Operation *op = value.getDefiningOp();
    if (op->getBlock() != where->getBlock() || op->isBeforeInBlock(where))
      return;
    for (Value operand : op->getOperands())
      hoist(operand, where);
    op->moveBefore(where);
  }

  Value a;
  SmallVector<Part> parts;
};

struct MergeMatMuls : impl::MergeMatMulsBase<MergeMatMuls> {
  void runOnOperation() override {
    llvm::SetVector<Value> shared;
    getOperation().walk([&](Operation *op) {
      if (isa<onnx::MatMulOp, onnx::GemmOp>(op) && !op->getOperand(0).hasOneUse())
        shared.insert(op->getOperand(0));
    });
    // None of them goes: what is merged is only moved, not multiplied.
    for (Value value : shared)
      Merge(value).run();
  }
};

} // namespace
} // namespace burin
