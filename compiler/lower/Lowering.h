// SPDX-License-Identifier: Apache-2.0
//
// onnx -> linalg, tensor, arith, math and kern: the table of rules, and what a
// rule builds with. One file per operator family registers its rules here; no
// other code knows how an operator is computed.

#ifndef BURIN_COMPILER_LOWER_LOWERING_H
#define BURIN_COMPILER_LOWER_LOWERING_H

#include "dialects/onnx/SizeExpr.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <functional>
#include <optional>
#include <string>

namespace burin::lower {

/// The type that stores `type`: signless integers, bool as i8, no encoding.
/// Tensors, sequences and scalars alike; `none` stays.
mlir::Type storageType(mlir::Type type);

/// The sizes of a tensor, of a kernel's window, of a list that the model computes from shapes.
using SizeList = llvm::SmallVector<onnx::SizeExpr>;

/// All sizes of a tensor of the model, as it says them; the name "" where it does not.
SizeList sizesOf(mlir::RankedTensorType onnxType);

/// The signed or unsigned element type that an ONNX value has, for rules whose
/// arithmetic depends on it. Storage types have lost it: ask the onnx op.
mlir::Type elementType(mlir::Value onnxValue);
bool isUnsigned(mlir::Type onnxElement);
bool isBool(mlir::Type onnxElement);

/// What a rule returns: the lowered results of its op.
using Results = mlir::FailureOr<llvm::SmallVector<mlir::Value>>;

/// The type of a value that is a tensor with a rank, as every lowered operand is.
inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

/// What rules say where they would have to fold or cut a size that --dim leaves open.
inline constexpr llvm::StringLiteral needsFixedSize =
    "it folds or cuts a size that changes from run to run; fix it with --dim NAME=VALUE";

/// What decides how a model's sums are made.
struct Arithmetic {
  bool winograd = true;     // convolutions may be transformed
  bool bf16Weights = false; // constant weights of products are rounded to bf16
};

/// What a rule builds with: a builder at the right place with the node's
/// location, and the shorthand that rules share.
class Lowering : public mlir::ImplicitLocOpBuilder {
public:
  Lowering(mlir::OpBuilder &builder, mlir::Operation *op, std::string &reason)
      : ImplicitLocOpBuilder(op->getLoc(), builder), op(op), reason(reason) {}

  mlir::Operation *getOp() const { return op; }

  /// Says why this node cannot be lowered and what the user can do about it.
  mlir::LogicalResult unsupported(const llvm::Twine &why);

  /// Storage type of the op's result `index`.
  mlir::RankedTensorType resultType(unsigned index = 0) const;

  /// Elements of an integer operand that is constant (shapes, axes, pads), or
  /// nothing. Looks at the onnx operand, which folding has made a Constant.
  std::optional<llvm::SmallVector<int64_t>> constantInts(unsigned operand) const;
  /// All elements of a small float constant operand, as double.
  std::optional<llvm::SmallVector<double>> constantFloats(unsigned operand) const;
  bool isAbsent(unsigned operand) const;

  mlir::Value index(int64_t value);
  /// A scalar of a storage type; integers wrap to its width.
  mlir::Value scalar(mlir::Type type, double value);
  mlir::Value scalarInt(mlir::Type type, int64_t value);

  /// Whether --dim gives a range for every dynamic size of a type of the model.
  bool hasRanges(mlir::RankedTensorType onnxType) const;
  /// All sizes of a tensor of the model, as it says them.
  llvm::SmallVector<onnx::SizeExpr> sizes(mlir::Value onnxValue) const;
  /// A size as an index.
  mlir::Value size(const onnx::SizeExpr &expr);
  /// Sizes as a shape of a type.
  static llvm::SmallVector<int64_t> shapeOf(llvm::ArrayRef<onnx::SizeExpr> sizes);
  /// A size of the op's result `index`: the model names it, and LowerOnnx has seen to it that
  /// its names have ranges.
  mlir::Value resultSize(unsigned index, unsigned dim);
  /// A tensor of `sizes`, those that change from run to run dynamic; those as indices, in order;
  /// all sizes, as slices take them.
  static mlir::RankedTensorType tensorOf(llvm::ArrayRef<onnx::SizeExpr> sizes, mlir::Type element);
  llvm::SmallVector<mlir::Value> openSizes(llvm::ArrayRef<onnx::SizeExpr> sizes);
  llvm::SmallVector<mlir::OpFoldResult> mixedSizes(llvm::ArrayRef<onnx::SizeExpr> sizes);
  /// The dynamic sizes of a lowered tensor, in order: what another of its shape needs.
  llvm::SmallVector<mlir::Value> openSizesOf(mlir::Value tensor);
  /// The dynamic sizes, in order, of a result that `maps` relate to the loops over `result`. What
  /// no input tells is taken from the op's result of the same shape; else the rule has failed.
  llvm::SmallVector<mlir::Value> sizesOf(mlir::RankedTensorType result, mlir::ValueRange inputs = {},
                                         llvm::ArrayRef<mlir::AffineMap> maps = {});

  /// tensor.empty of `type`; `dynamic` gives its dynamic sizes in order.
  mlir::Value empty(mlir::RankedTensorType type, mlir::ValueRange dynamic = {});
  /// A tensor full of one scalar.
  mlir::Value fill(mlir::RankedTensorType type, mlir::Value scalar, mlir::ValueRange dynamic = {});

  using Body = llvm::function_ref<mlir::Value(Lowering &, mlir::ValueRange elements)>;
  /// linalg.generic over `result` with all-parallel iterators; `maps` has
  /// one map per input, the result's is the identity. Its dynamic sizes are `sizes`, or told by
  /// sizesOf.
  mlir::Value parallel(mlir::RankedTensorType result, mlir::ValueRange inputs,
                       llvm::ArrayRef<mlir::AffineMap> maps, Body body);
  mlir::Value parallel(mlir::RankedTensorType result, mlir::ValueRange sizes,
                       mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps, Body body);
  /// As above, inputs broadcast to the result as ONNX (numpy) does.
  mlir::Value broadcasting(mlir::RankedTensorType result, mlir::ValueRange inputs, Body body);
  /// A generic without inputs whose body computes each element from its indices
  /// (tensor.extract for pull-style access).
  using IndexedBody = llvm::function_ref<mlir::Value(Lowering &, mlir::ValueRange indices)>;
  mlir::Value indexed(mlir::RankedTensorType result, IndexedBody body);
  mlir::Value indexed(mlir::RankedTensorType result, mlir::ValueRange sizes, IndexedBody body);
  /// Folds `dims` of `input` (keeping `keepDims` as size 1 or dropping them) with a combiner
  /// from `init`. The element given to the body comes first, the accumulator second.
  mlir::Value reduce(mlir::Value input, llvm::ArrayRef<int64_t> dims, bool keepDims,
                     mlir::Value init, Body combiner);

  /// As above over loops of `shape` for several inputs, each with its map; the result drops
  /// `dims` and has init's type. The body is given the inputs' elements, then the accumulator.
  /// `openSizes` are the result's where no input tells them.
  mlir::Value reduce(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims,
                     mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                     mlir::Value init, Body combiner, mlir::ValueRange openSizes = {});
  /// The identity of `rank` loops without `dims`: how a reduced tensor is read.
  mlir::AffineMap mapWithout(int64_t rank, llvm::ArrayRef<int64_t> dims);

  /// The map by which an operand of `shape` is read for result elements of rank
  /// `rank` under numpy broadcasting.
  mlir::AffineMap broadcastMap(mlir::RankedTensorType operand, mlir::RankedTensorType result);
  /// Row-major reshape, as collapse and expand. Of a dynamic tensor: where each dynamic size
  /// stays what it is, or the shape is that of the op's result.
  mlir::Value reshape(mlir::Value input, llvm::ArrayRef<int64_t> shape);
  /// As above from sizes to sizes that may change from run to run.
  mlir::Value reshape(mlir::Value input, llvm::ArrayRef<onnx::SizeExpr> from,
                      llvm::ArrayRef<onnx::SizeExpr> to);
  /// result dim i is input dim perm[i].
  mlir::Value transpose(mlir::Value input, llvm::ArrayRef<int64_t> perm);

  /// `value` in the memory of `place`, the argument of a loop that carries it on. Needed since a
  /// kernel's scratch is the same in every round: a new tensor would overwrite what it is made of.
  mlir::Value inPlace(mlir::Value value, mlir::Value place);

  /// Lowers a region's ops (If, Loop, Scan bodies) at the current place.
  std::function<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(
      mlir::Block &, mlir::ValueRange arguments)> lowerBlock;

  /// The op's size that the data decide (onnx::SizedByData), at most `max`, as `count`, a tensor of one
  /// i64, holds it when the model runs.
  std::function<mlir::Value(mlir::Value count, int64_t max)> measure;

  /// Takes two sizes of the model for one, which a run must then have equal (plan.agreements); why not,
  /// where that is not supported.
  std::function<std::string(const onnx::SizeExpr &, const onnx::SizeExpr &)> agree;

  /// The least and the most that a size can be, where --dim or the data bound it.
  std::function<std::optional<onnx::SizeExpr::Interval>(const onnx::SizeExpr &)> range;

  /// The sizes that change from run to run, by name; null where there are none.
  const llvm::StringMap<mlir::Value> *dims = nullptr;

  /// What the model's arithmetic may be made of.
  Arithmetic arithmetic;

private:
  mlir::Operation *op;
  std::string &reason;
};

/// Builds the lowered results of `op` from its lowered operands (`none` operands
/// are null values), or fails after Lowering::unsupported.
using Rule = std::function<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(
    Lowering &, mlir::Operation *op, mlir::ValueRange operands)>;

/// Whether a rule can work with sizes that change from run to run.
enum class Sizes { Fixed, Dynamic };

class RuleTable {
public:
  template <typename Op> void add(Rule rule, Sizes sizes = Sizes::Fixed) {
    rules[Op::getOperationName()] = std::move(rule);
    if (sizes == Sizes::Dynamic)
      dynamic.insert(Op::getOperationName());
  }
  bool takesDynamicSizes(llvm::StringRef name) const { return dynamic.contains(name); }
  /// The rule of an op by its full name, "onnx.Add", or null.
  const Rule *find(llvm::StringRef name) const {
    auto it = rules.find(name);
    return it == rules.end() ? nullptr : &it->second;
  }

private:
  llvm::StringMap<Rule> rules;
  llvm::StringSet<> dynamic;
};

/// What is left of sequences and optionals once all are resolved (see Sequence.cpp).
void eraseLists(mlir::Operation *function);

/// The rules of every family, made once.
const RuleTable &ruleTable();

/// Gives the elementwise operators their scalar bodies (ElementwiseOpInterface).
void attachElementwise(mlir::DialectRegistry &registry);

void registerElementwise(RuleTable &table);
void registerReduction(RuleTable &table);
void registerNormalization(RuleTable &table);
void registerAttention(RuleTable &table);
void registerRotary(RuleTable &table);
void registerContraction(RuleTable &table);
void registerConvolution(RuleTable &table);
void registerPooling(RuleTable &table);
void registerUnpooling(RuleTable &table);
void registerMovement(RuleTable &table);
void registerPad(RuleTable &table);
void registerIndexing(RuleTable &table);
void registerShape(RuleTable &table);
void registerControl(RuleTable &table);
void registerSequence(RuleTable &table);
void registerRecurrent(RuleTable &table);
void registerSignal(RuleTable &table);

} // namespace burin::lower

#endif
