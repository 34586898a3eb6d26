// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the attention family.

#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {
namespace {

/// Queries, keys or values as heads: [batch, heads, length, size].
struct Heads {
  Dim batch, count, length, size;
};

/// Of an operand [batch, heads, length, size], or [batch, length, heads * size] with as many heads
/// as the attribute `name` says.
FailureOr<Heads> headsOf(const ShapeRule &rule, unsigned index, StringRef name) {
  Shape shape = rule.shape(index);
  if (!shape)
    return Heads();
  if (shape->size() == 4) {
    const Dims &dims = *shape;
    return Heads{dims[0], dims[1], dims[2], dims[3]};
  }
  if (shape->size() != 3)
    return rule.error() << "operand " << index << " has rank " << shape->size()
                        << ", not 3 (packed heads) or 4";
  int64_t count = rule.attr(name, 0);
  Dim width = (*shape)[2];
  if (count <= 0)
    return rule.error() << "operands of rank 3 need '" << name << "', at least 1";
  if (width.isStatic() && width.size % count != 0)
    return rule.error() << "'" << name << "' is " << count << ", which does not divide the size "
                        << width.size << " of operand " << index;
  return Heads{(*shape)[0], Dim(count), (*shape)[1],
               width.isStatic() ? Dim(width.size / count) : Dim()};
}

} // namespace

LogicalResult inferAttention(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  FailureOr<Heads> q = headsOf(rule, 0, "q_num_heads");
  FailureOr<Heads> k = succeeded(q) ? headsOf(rule, 1, "kv_num_heads") : q;
  FailureOr<Heads> v = succeeded(k) ? headsOf(rule, 2, "kv_num_heads") : k;
  if (failed(v))
    return failure();
  Dim total = k->length;
  for (unsigned i : {4, 5}) {
    if (rule.absent(i) != rule.absent(4))
      return rule.error() << "past_key and past_value come together";
    if (rule.absent(i))
      continue;
    if (failed(rule.expectRank(i, 4)))
      return failure();
    Shape past = rule.shape(i);
    std::optional<Dim> sum = past ? add((*past)[2], (i == 4 ? k : v)->length) : Dim();
    if (!sum)
      return rule.error() << "the length of the past and the new keys exceeds 2^63";
    total = *sum;
  }
  auto agree = [&](Dim &a, const Dim &b, StringRef what) {
    FailureOr<Dim> merged = rule.same(a, b, what);
    if (succeeded(merged))
      a = *merged;
    return merged;
  };
  if (failed(agree(q->batch, k->batch, "the batches of queries and keys")) ||
      failed(agree(q->batch, v->batch, "the batches of queries and values")) ||
      failed(agree(k->count, v->count, "the heads of keys and values")) ||
      failed(agree(k->length, v->length, "the lengths of keys and values")) ||
      failed(agree(q->size, k->size, "the sizes of queries' and keys' heads")))
    return failure();
  if (q->count.isStatic() && k->count.isStatic() &&
      (k->count.size == 0 || q->count.size % k->count.size != 0))
    return rule.error() << q->count.size << " heads of queries cannot share " << k->count.size
                        << " of keys";
  Shape result;
  if (Shape shape = rule.shape(0)) {
    if (shape->size() == 4) {
      result = Dims{q->batch, q->count, q->length, v->size};
    } else {
      FailureOr<Dim> width = rule.product({q->count, v->size});
      if (failed(width))
        return failure();
      result = Dims{q->batch, q->length, *width};
    }
  }
  if (failed(rule.set(0, rule.element(0), result)))
    return failure();
  const Dims presents[] = {{k->batch, k->count, total, k->size},
                           {v->batch, v->count, total, v->size},
                           {q->batch, q->count, q->length, total}};
  for (auto [i, present] : llvm::enumerate(presents))
    if (unsigned index = unsigned(i) + 1; !rule.unused(index))
      if (failed(rule.set(index, rule.element(index == 3 ? 0 : index), Shape(present))))
        return failure();
  return success();
}

} // namespace burin::onnx
