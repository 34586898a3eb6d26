// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/SameForAll.h"

#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace burin {
namespace {

/// The elements of a constant at index 0 of dim `axis`, block by block, where
/// all other indices of it have the same.
std::optional<std::string> oneRow(DenseElementsAttr elements, unsigned axis) {
  ShapedType type = elements.getType();
  if (elements.isSplat() || !type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() % 8)
    return std::nullopt;
  ArrayRef<char> data = elements.getRawData();
  size_t row = type.getElementTypeBitWidth() / 8;
  for (int64_t size : type.getShape().drop_front(axis + 1))
    row *= size_t(size);
  size_t rows = size_t(type.getDimSize(axis));
  std::string first;
  for (size_t block = 0; block < data.size(); block += row * rows) {
    for (size_t at = 1; at < rows; ++at)
      if (data.slice(block, row) != data.slice(block + at * row, row))
        return std::nullopt;
    first.append(data.data() + block, row);
  }
  return first;
}

DenseElementsAttr elementsOf(Operation *op) {
  DenseElementsAttr elements;
  matchPattern(op, m_Constant(&elements));
  return elements;
}

bool readsIndex(linalg::LinalgOp op, unsigned loop) {
  return llvm::any_of(op.getBlock()->getOps<linalg::IndexOp>(),
                      [&](linalg::IndexOp index) { return index.getDim() == loop; });
}

bool isSameResult(linalg::LinalgOp op, OpResult result, unsigned axis) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result.getResultNumber()));
  auto loop = dyn_cast<AffineDimExpr>(map.getResult(axis));
  if (!loop || readsIndex(op, loop.getPosition()))
    return false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (!isa<RankedTensorType>(input->get().getType()))
      continue;
    for (auto [i, index] : llvm::enumerate(op.getMatchingIndexingMap(input).getResults()))
      if (index.isFunctionOfDim(loop.getPosition()) &&
          (index != loop || !isSameForAll(input->get(), unsigned(i))))
        return false;
  }
  // What reductions begin with.
  for (OpOperand &init : op.getDpsInitsMutable())
    if (op.payloadUsesValueFromOperand(&init) && !isSameForAll(init.get(), axis))
      return false;
  return true;
}

} // namespace

bool isSameForAll(Value tensor, unsigned axis) {
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return false;
  if (DenseElementsAttr elements = elementsOf(op))
    return elements.isSplat() || oneRow(elements, axis);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<tensor::EmptyOp, linalg::FillOp>([](auto) { return true; })
      .Case(
          [&](linalg::LinalgOp typed) { return isSameResult(typed, cast<OpResult>(tensor), axis); })
      .Case([&](tensor::CastOp typed) { return isSameForAll(typed.getSource(), axis); })
      .Case([&](tensor::ExpandShapeOp typed) {
        for (auto [i, group] : llvm::enumerate(typed.getReassociationIndices()))
          if (llvm::is_contained(group, int64_t(axis)))
            return isSameForAll(typed.getSrc(), unsigned(i));
        return false;
      })
      .Case([&](tensor::CollapseShapeOp typed) {
        return llvm::all_of(typed.getReassociationIndices()[axis], [&](int64_t dim) {
          return typed.getSrcType().getDimSize(unsigned(dim)) == 1 ||
                 isSameForAll(typed.getSrc(), unsigned(dim));
        });
      })
      .Case([&](tensor::ExtractSliceOp typed) {
        return typed.getSourceType().getRank() == typed.getType().getRank() &&
               isSameForAll(typed.getSource(), axis);
      })
      .Default(false);
}

namespace {

/// Two programs, op by op.
class Comparison {
public:
  explicit Comparison(StringRef batch) : batch(batch) {}

  LogicalResult compare(Region &one, Region &two) {
    if (!llvm::hasNItems(one, one.empty() ? 0 : 1) || !llvm::hasNItems(two, one.empty() ? 0 : 1))
      return refuse(one.getParentOp());
    return one.empty() ? success() : compare(one.front(), two.front());
  }

private:
  LogicalResult compare(Block &one, Block &two) {
    if (one.getNumArguments() != two.getNumArguments() ||
        one.getOperations().size() != two.getOperations().size())
      return refuse(one.getParentOp());
    map(one.getArguments(), two.getArguments());
    for (auto [a, b] : llvm::zip_equal(one, two))
      if (failed(compare(&a, &b)))
        return failure();
    return success();
  }

  LogicalResult compare(Operation *one, Operation *two) {
    auto maps = [&](Value a, Value b) { return same.lookup(a) == b; };
    if (one->getName() != two->getName() || one->getNumResults() != two->getNumResults() ||
        one->getNumRegions() != two->getNumRegions() ||
        !llvm::equal(one->getOperands(), two->getOperands(), maps))
      return refuse(one);
    if (!isSameConstant(one, two) && !areSameAttributes(one, two)) {
      // Of a constant, which has no place of its own, the node that reads it is
      // named.
      return one->hasTrait<OpTrait::ConstantLike>() ? success() : refuse(one);
    }
    map(one->getResults(), two->getResults());
    for (auto [a, b] : llvm::zip_equal(one->getRegions(), two->getRegions()))
      if (failed(compare(a, b)))
        return failure();
    return success();
  }

  /// Constants that only have more of the same rows.
  static bool isSameConstant(Operation *one, Operation *two) {
    DenseElementsAttr a = elementsOf(one), b = elementsOf(two);
    if (!a || !b || a.getType().getRank() != b.getType().getRank())
      return false;
    if (a.isSplat() || b.isSplat())
      return a.isSplat() && b.isSplat() &&
             a.getSplatValue<Attribute>() == b.getSplatValue<Attribute>();
    for (unsigned axis = 0; axis < a.getType().getRank(); ++axis)
      if (a.getType().getDimSize(axis) != b.getType().getDimSize(axis))
        return oneRow(a, axis) && oneRow(a, axis) == oneRow(b, axis);
    return false;
  }

  /// Attributes, but for those that repeat the shape of a result.
  static bool areSameAttributes(Operation *one, Operation *two) {
    NamedAttrList a(one->getAttrDictionary()), b(two->getAttrDictionary());
    for (StringRef shape : {"static_sizes", "static_output_shape"}) {
      a.erase(shape);
      b.erase(shape);
    }
    return a == b;
  }

  void map(ValueRange one, ValueRange two) {
    for (auto [a, b] : llvm::zip_equal(one, two))
      same[a] = b;
  }

  LogicalResult refuse(Operation *op) const {
    return op->emitRemark() << "what it computes depends on the size of '" << batch << "'";
  }

  StringRef batch;
  llvm::DenseMap<Value, Value> same; // those without an entry are like no other
};

} // namespace

LogicalResult compareSizes(func::FuncOp main, func::FuncOp other, StringRef batch) {
  return Comparison(batch).compare(main.getBody(), other.getBody());
}

} // namespace burin
