// SPDX-License-Identifier: Apache-2.0
//
// The optimizers of ai.onnx.preview.training as functions, which ONNX gives in prose alone: one
// step of Adagrad, Adam or Momentum for any number of tensors.

#include "compiler/import/Model.h"

#include "llvm/ADT/StringExtras.h"
#include "onnx/defs/function.h"

using namespace llvm;
using namespace ::onnx;

namespace burin::importer {
namespace {

/// A step in ONNX's text syntax. `#` is the number of the tensor X#, its gradient G# and its
/// states, which are named by one letter each; what is new of them ends in `_new`.
struct Optimizer {
  StringRef name;
  StringRef states;
  const char *once; // from the rate R and the count T
  // Of each tensor: the new states, the step along DIRECTION#, the new tensor.
  const char *newStates, *step, *newTensor;
  StringRef direction; // empty: the node says it
};

constexpr char gradient[] = R"(
    norm# = CastLike (norm, X#)
    decayed# = Mul (norm#, X#)
    grad# = Add (decayed#, G#)
)";

constexpr char dividedByRoot[] = R"(
    root# = Sqrt (H#_new)
    small# = CastLike (small, X#)
    divisor# = Add (root#, small#)
    rate# = CastLike (rate, X#)
    scaled# = Mul (rate#, DIRECTION#)
    step# = Div (scaled#, divisor#)
)";

constexpr Optimizer optimizers[] = {
    {"Adagrad", "H", R"(
    norm = Constant <value_float: float = @norm_coefficient> ()
    factor = Constant <value_float: float = @decay_factor> ()
    small = Constant <value_float: float = @epsilon> ()
    one = Constant <value = float {1.0}> ()
    factor_like = CastLike (factor, R)
    one_like = CastLike (one, R)
    count = CastLike (T, R)
    slower = Mul (count, factor_like)
    divisor = Add (one_like, slower)
    rate = Div (R, divisor)
)",
     R"(
    squared# = Mul (grad#, grad#)
    H#_new = Add (H#, squared#)
)",
     dividedByRoot, R"(
    X#_new = Sub (X#, step#)
)",
     "grad#"},
    {"Adam", "VH", R"(
    norm = Constant <value_float: float = @norm_coefficient> ()
    post = Constant <value_float: float = @norm_coefficient_post> ()
    alpha = Constant <value_float: float = @alpha> ()
    beta = Constant <value_float: float = @beta> ()
    small = Constant <value_float: float = @epsilon> ()
    one = Constant <value = float {1.0}> ()
    kept = Sub (one, post)
    alpha_rest = Sub (one, alpha)
    beta_rest = Sub (one, beta)
    zero = Constant <value = int64 {0}> ()
    later = Greater (T, zero)
    alpha_like = CastLike (alpha, R)
    beta_like = CastLike (beta, R)
    one_like = CastLike (one, R)
    count = CastLike (T, R)
    alpha_power = Pow (alpha_like, count)
    beta_power = Pow (beta_like, count)
    alpha_left = Sub (one_like, alpha_power)
    beta_left = Sub (one_like, beta_power)
    correction = Sqrt (beta_left)
    corrected = Mul (R, correction)
    adjusted = Div (corrected, alpha_left)
    rate = Where (later, adjusted, R)
)",
     R"(
    alpha# = CastLike (alpha, X#)
    alpha_rest# = CastLike (alpha_rest, X#)
    old_mean# = Mul (alpha#, V#)
    new_mean# = Mul (alpha_rest#, grad#)
    V#_new = Add (old_mean#, new_mean#)
    beta# = CastLike (beta, X#)
    beta_rest# = CastLike (beta_rest, X#)
    squared# = Mul (grad#, grad#)
    old_square# = Mul (beta#, H#)
    new_square# = Mul (beta_rest#, squared#)
    H#_new = Add (old_square#, new_square#)
)",
     dividedByRoot, R"(
    moved# = Sub (X#, step#)
    kept# = CastLike (kept, X#)
    X#_new = Mul (kept#, moved#)
)",
     "V#_new"},
    {"Momentum", "V", R"(
    norm = Constant <value_float: float = @norm_coefficient> ()
    alpha = Constant <value_float: float = @alpha> ()
    given = Constant <value_float: float = @beta> ()
    one = Constant <value = float {1.0}> ()
    zero = Constant <value = int64 {0}> ()
    later = Greater (T, zero)
    beta = Where (later, given, one)
)",
     R"(
    alpha# = CastLike (alpha, X#)
    beta# = CastLike (beta, X#)
    old# = Mul (alpha#, V#)
    new# = Mul (beta#, grad#)
    V#_new = Add (old#, new#)
    ahead# = Mul (alpha#, V#_new)
    nesterov# = Add (grad#, ahead#)
)",
     R"(
    rate# = CastLike (R, X#)
    step# = Mul (rate#, DIRECTION#)
)",
     R"(
    X#_new = Sub (X#, step#)
)",
     ""},
};

const Optimizer *find(const NodeProto &node) {
  if (node.domain() != "ai.onnx.preview.training")
    return nullptr;
  for (const Optimizer &optimizer : optimizers)
    if (optimizer.name == node.op_type())
      return &optimizer;
  return nullptr;
}

/// X, G and the states: as many tensors of each.
int tensorsOf(const Optimizer &optimizer, const NodeProto &node) {
  int kinds = 2 + int(optimizer.states.size()), given = node.input_size() - 2;
  bool fits = given > 0 && given % kinds == 0 &&
              node.output_size() <= given / kinds * (kinds - 1);
  return fits ? given / kinds : 0;
}

std::string replaced(StringRef text, StringRef what, StringRef with) {
  SmallVector<StringRef> parts;
  text.split(parts, what);
  return llvm::join(parts, with);
}

/// Momentum names the direction in which it goes, the others have one.
std::optional<StringRef> directionOf(const Optimizer &optimizer, const NodeProto &node) {
  if (!optimizer.direction.empty())
    return optimizer.direction;
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == "mode")
      return attribute.s() == "nesterov"   ? std::optional<StringRef>("nesterov#")
             : attribute.s() == "standard" ? std::optional<StringRef>("V#_new")
                                           : std::nullopt;
  return std::nullopt;
}

} // namespace

bool isOptimizer(const NodeProto &node) {
  const Optimizer *optimizer = find(node);
  return optimizer && tensorsOf(*optimizer, node) > 0 && directionOf(*optimizer, node);
}

void makeOptimizerBody(const NodeProto &node, FunctionProto &body) {
  const Optimizer &optimizer = *find(node);
  std::string letters = "XG" + optimizer.states.str();
  int tensors = tensorsOf(optimizer, node);
  body.add_input("R");
  body.add_input("T");
  for (char letter : letters)
    for (int i = 0; i < tensors; ++i) {
      body.add_input(letter + std::to_string(i));
      if (letter != 'G')
        body.add_output(letter + std::to_string(i) + "_new");
    }
  FunctionBuilder builder(body);
  builder.AddOpset("", int(dialectOpset)).Add(optimizer.once);
  std::string step = replaced(optimizer.step, "DIRECTION#", *directionOf(optimizer, node));
  std::string each = gradient + std::string(optimizer.newStates) + step + optimizer.newTensor;
  for (int i = 0; i < tensors; ++i)
    builder.Add(replaced(each, "#", std::to_string(i)).c_str());
}

} // namespace burin::importer
