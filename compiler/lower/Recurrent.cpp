// SPDX-License-Identifier: Apache-2.0
//
// RNN, GRU and LSTM. What the input contributes to the gates is one contraction for
// all steps; the rest is a loop over the steps that carries the state. All directions
// go together, each in the order of its own steps: step s of the reverse one is time T-1-s.

#include "compiler/lower/CellFunctions.h"
#include "compiler/lower/Contract.h"
#include "compiler/lower/Lowering.h"
#include "compiler/lower/Scalars.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace burin::lower {
namespace {

//===- The frame of the three cells -----------------------------------------===//

/// What a gate computation at (direction, row, unit) may read.
struct Step {
  Lowering &b;
  Scalars s;
  SmallVector<Value> input;    // per gate: X * W + both biases (but see GRU)
  SmallVector<Value> state;    // per gate: H * R
  SmallVector<Value> extras;   // in the order they were given
  Value h, c;                  // the state before the step
};

class Recurrence {
public:
  Recurrence(Lowering &b, Operation *op, unsigned gates) : b(b), op(op), gates(gates) {}

  /// Reads shapes and attributes, or says why not.
  LogicalResult prepare(ValueRange operands, ArrayRef<StringRef> defaults) {
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.getType()); type && !b.hasRanges(type))
        return b.unsupported("a shape is known only when the model runs; fix the sizes it depends "
                             "on with --dim NAME=VALUE");
    x = operands[0], w = operands[1], r = operands[2], bias = operands[3], lengths = operands[4];
    auto xType = cast<RankedTensorType>(x.getType()), wType = cast<RankedTensorType>(w.getType());
    auto rType = cast<RankedTensorType>(r.getType());
    if (xType.getRank() != 3 || wType.getRank() != 3 || rType.getRank() != 3 ||
        !isa<FloatType>(xType.getElementType()))
      return b.unsupported("its operands are not three-dimensional tensors of floats");
    element = xType.getElementType();
    compute = computeType(element);
    batchFirst = op->getAttrOfType<IntegerAttr>("layout").getInt() != 0;
    SmallVector<onnx::SizeExpr> sizes = b.sizes(op->getOperand(0));
    steps = sizes[batchFirst ? 1 : 0];
    batch = sizes[batchFirst ? 0 : 1];
    inputs = xType.getDimSize(2);
    units = rType.getDimSize(2);
    directions = wType.getDimSize(0);
    for (auto [i, operand] : llvm::enumerate(operands)) {
      // Of the input steps and sequences may be open, of lengths and states how many sequences.
      int64_t sequences = i >= 4 && i <= 6 ? (i == 4 || batchFirst ? 0 : 1) : -1;
      for (int64_t d = i == 0 ? 2 : 0; operand && d < typeOf(operand).getRank(); ++d)
        if (d != sequences && typeOf(operand).isDynamicDim(d))
          return b.unsupported(
              "a size of its weights or states, or of what they take, changes from "
              "run to run; fix it with --dim NAME=VALUE");
    }
    StringRef direction = op->getAttrOfType<StringAttr>("direction").getValue();
    reverseOnly = direction == "reverse";
    if (directions != (direction == "bidirectional" ? 2 : 1) ||
        wType.getShape() != ArrayRef({directions, gates * units, inputs}) ||
        rType.getShape() != ArrayRef({directions, gates * units, units}))
      return b.unsupported("the shapes of its weights do not fit its direction and hidden size");
    for (unsigned i = 0; i < operands.size(); ++i) // what has a row for each sequence
      if (operands[i] && (i == 4 || i == 5 || i == 6)) {
        auto given = b.sizes(op->getOperand(i));
        if (!(given[i == 4 || batchFirst ? 0 : 1] == batch))
          return b.unsupported("lengths or states of another number of sequences than its input's; "
                               "fix both with --dim NAME=VALUE");
      }
    if (!steps.constant())
      count = b.size(steps);
    if (auto attribute = op->getAttrOfType<FloatAttr>("clip"))
      clip = attribute.getValueAsDouble();
    if (batchFirst)
      x = b.transpose(x, {1, 0, 2});
    return readActivations(defaults);
  }

  /// [D, B, H] of an initial state, zero where absent, in the compute type.
  Value initialState(Value given) {
    SmallVector<onnx::SizeExpr> shape{directions, batch, units};
    RankedTensorType type = b.tensorOf(shape, compute);
    if (!given)
      return b.fill(type, b.scalar(compute, 0), b.openSizes(shape));
    if (batchFirst)
      given = b.transpose(given, {1, 0, 2});
    return given.getType() == type ? given : converted(given, compute);
  }

  /// X * W for all steps: [D, T, G, B, H].
  Value inputGates() {
    Value ordered = x;
    bool copied = directions == 2 || reverseOnly;
    if (copied) { // [D, T, B, I] in the order of each direction's steps
      SmallVector<onnx::SizeExpr> shape{directions, steps, batch, inputs};
      auto inOrder = [&](Lowering &inner, ValueRange at) -> Value {
        Value time = timeOf(inner, at[1], at[0]);
        return tensor::ExtractOp::create(inner, x, ValueRange{time, at[2], at[3]});
      };
      ordered = b.indexed(b.tensorOf(shape, element), b.openSizes(shape), inOrder);
    }
    SmallVector<onnx::SizeExpr> shape{directions, steps, gates, batch, units};
    return product(ordered, copied ? ArrayRef<unsigned>{0, 1, 3} : ArrayRef<unsigned>{1, 3}, w,
                   shape, /*direction=*/0, /*gate=*/2, inputs, 0, gates);
  }

  /// `state` [D, B, H] times the transposed R of gates from `first` on: [D, count, B, H].
  Value stateGates(Value state, unsigned first, unsigned count) {
    SmallVector<onnx::SizeExpr> shape{directions, int64_t(count), batch, units};
    return product(state, {0, 2}, r, shape, 0, 1, units, first, count);
  }

  using Cell = function_ref<std::pair<Value, Value>(Step &)>;

  /// The loop over all steps. `advance` is given the step's input gates [D, G, B, H] and the states and
  /// returns the new ones. Results: Y in the order of steps (null if unused), h, c.
  SmallVector<Value> loop(Value h, Value c,
                          function_ref<std::pair<Value, Value>(Value, Value, Value)> advance) {
    Value all = inputGates();
    bool wantsAll = !isa<NoneType>(op->getResult(0).getType());
    SmallVector<onnx::SizeExpr> allShape{steps, directions, batch, units};
    SmallVector<Value> carried{h};
    if (c)
      carried.push_back(c);
    if (wantsAll)
      carried.push_back(b.empty(b.tensorOf(allShape, compute), b.openSizes(allShape)));
    Value from = b.index(0), to = b.size(steps), by = b.index(1);
    bool repeats = !steps.constant() || *steps.constant() > 1;
    auto loop = scf::ForOp::create(b, from, to, by, carried);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      step = loop.getInductionVar();
      SmallVector<onnx::SizeExpr> now{directions, gates, batch, units};
      Value input = slice(all, b.tensorOf(now, compute), {0, -1, 0, 0, 0},
                          {directions, 1, gates, batch, units});
      ValueRange state = loop.getRegionIterArgs();
      auto [newH, newC] = advance(input, state[0], c ? state[1] : Value());
      // A single round is no loop once it is simplified, and has nothing to keep.
      newH = repeats ? b.inPlace(newH, state[0]) : newH;
      SmallVector<Value> yielded{newH};
      if (c)
        yielded.push_back(repeats ? b.inPlace(newC, state[1]) : newC);
      if (wantsAll) {
        SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0)), strides(4, b.getIndexAttr(1));
        offsets[0] = step;
        SmallVector<OpFoldResult> sizes = b.mixedSizes({1, directions, batch, units});
        yielded.push_back(tensor::InsertSliceOp::create(b, visible(newH), state.back(), offsets,
                                                        sizes, strides));
      }
      scf::YieldOp::create(b, yielded);
    }
    step = nullptr;
    return {wantsAll ? loop.getResults().back() : Value(), loop.getResult(0),
            c ? loop.getResult(1) : Value()};
  }

  /// One generic that writes the states in place. `cell` computes them from what a Step
  /// holds; past a sequence's end they stay. `extras` are read by `extraMaps`.
  std::pair<Value, Value> update(Value inputGates, Value stateGates, Value h, Value c,
                                 ValueRange extras, ArrayRef<AffineMap> extraMaps, Cell cell) {
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    auto take = [&](Value value, AffineMap map) {
      operands.push_back(value);
      maps.push_back(map);
    };
    unsigned fromState = cast<RankedTensorType>(stateGates.getType()).getDimSize(1);
    for (unsigned gate = 0; gate < gates; ++gate)
      take(inputGates, gateMap(gate));
    for (unsigned gate = 0; gate < fromState; ++gate)
      take(stateGates, gateMap(gate));
    if (bias)
      for (unsigned i = 0; i < 2 * gates; ++i)
        take(b.reshape(bias, {directions, 2 * gates, units}), perUnit(i));
    if (lengths)
      take(lengths, AffineMap::get(3, 0, {b.getAffineDimExpr(1)}, b.getContext()));
    for (auto [extra, map] : llvm::zip_equal(extras, extraMaps))
      take(extra, map);
    SmallVector<Value> inits{h};
    if (c)
      inits.push_back(c);
    for (size_t i = 0; i < inits.size(); ++i)
      maps.push_back(b.getMultiDimIdentityMap(3));
    SmallVector<utils::IteratorType> parallel(3, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        b, TypeRange(ValueRange(inits)), operands, inits, maps, parallel,
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          std::string reason;
          Lowering inner(builder, op, reason);
          inner.setLoc(loc);
          Step at{inner, {inner}, {}, {}, {}, nullptr, nullptr};
          auto next = [&] {
            Value value = args.front();
            args = args.drop_front();
            return isa<FloatType>(value.getType()) ? at.s.widen(value) : value;
          };
          for (unsigned gate = 0; gate < gates; ++gate)
            at.input.push_back(next());
          for (unsigned gate = 0; gate < fromState; ++gate)
            at.state.push_back(next());
          if (bias) {
            for (Value &value : at.input)
              value = at.s.add(value, next());
            for (unsigned gate = 0; gate < gates; ++gate) {
              bool alone = keepsStateBias && gate + 1 == gates;
              Value &value = alone ? at.state[gate] : at.input[gate];
              value = at.s.add(value, next());
            }
          }
          Value length = lengths ? next() : Value();
          for (size_t i = 0; i < extras.size(); ++i)
            at.extras.push_back(next());
          at.h = args[0];
          at.c = c ? args[1] : Value();
          auto [newH, newC] = cell(at);
          if (length) {
            Value runs = isRunning(inner, length, linalg::IndexOp::create(inner, 0));
            newH = at.s.select(runs, newH, at.h);
            if (c)
              newC = at.s.select(runs, newC, at.c);
          }
          SmallVector<Value> yielded{newH};
          if (c)
            yielded.push_back(newC);
          linalg::YieldOp::create(builder, loc, yielded);
        });
    return {generic.getResult(0), c ? generic.getResult(1) : Value()};
  }

  /// Activation number `which` of the cell on the clipped sum of a gate.
  Value activate(Step &at, unsigned which, Value value, bool isGate = true) {
    if (clip && isGate) {
      Value low = at.s.like(value, -*clip), high = at.s.like(value, *clip);
      value = at.s.select(at.s.less(value, low), low, value);
      value = at.s.select(at.s.less(high, value), high, value);
    }
    unsigned perDirection = activations.size() / directions;
    Value result = apply(at.s, activations[which], value);
    if (directions == 1 || activations[which] == activations[perDirection + which])
      return result;
    Value isForward = at.s.equal(linalg::IndexOp::create(at.b, 0), at.b.index(0));
    return at.s.select(isForward, result, apply(at.s, activations[perDirection + which], value));
  }

  /// The op's results from what loop() gave: time order, layout and element type.
  SmallVector<Value> results(ArrayRef<Value> states) {
    SmallVector<Value> values;
    if (Value all = states[0]) {
      bool plain = directions == 1 && !reverseOnly && !batchFirst;
      auto type = cast<RankedTensorType>(storageType(op->getResult(0).getType()));
      if (plain)
        all = all.getType() == type ? all : converted(all, element);
      else
        all = b.indexed(type, [&](Lowering &inner, ValueRange at) -> Value {
          SmallVector<Value> in(at); // [T, D, B, H]
          if (batchFirst)
            in = {at[1], at[2], at[0], at[3]};
          in[0] = timeOf(inner, in[0], in[1]);
          return Scalars{inner}.narrow(tensor::ExtractOp::create(inner, all, in), element);
        });
      values.push_back(all);
    } else {
      values.push_back(nullptr);
    }
    for (auto [i, state] : llvm::enumerate(states.drop_front())) {
      if (i + 1 >= op->getNumResults())
        break;
      if (isa<NoneType>(op->getResult(i + 1).getType())) {
        values.push_back(nullptr);
        continue;
      }
      Value value = converted(state, element);
      values.push_back(batchFirst ? b.transpose(value, {1, 0, 2}) : value);
    }
    return values;
  }

  /// (d, b, j) -> (d, i, j).
  AffineMap perUnit(unsigned i) {
    return AffineMap::get(3, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(i),
                                 b.getAffineDimExpr(2)}, b.getContext());
  }

  /// A tensor that is to be written as states are.
  Value scratch() {
    SmallVector<onnx::SizeExpr> shape{directions, batch, units};
    return b.empty(b.tensorOf(shape, compute), b.openSizes(shape));
  }

  int64_t directions = 0, units = 0;
  /// GRU's linear_before_reset: the last gate's bias on the state's side is the state's.
  bool keepsStateBias = false;
  Value bias;

private:
  LogicalResult readActivations(ArrayRef<StringRef> defaults) {
    SmallVector<std::string> names;
    if (auto given = op->getAttrOfType<ArrayAttr>("activations"))
      for (Attribute name : given)
        names.push_back(cast<StringAttr>(name).getValue().lower());
    else
      for (int64_t d = 0; d < directions; ++d)
        for (StringRef name : defaults)
          names.push_back(name.str());
    if (int64_t(names.size()) != directions * int64_t(defaults.size()))
      return b.unsupported("it needs " + Twine(directions * defaults.size()) + " activations");
    auto values = [&](StringRef name) {
      auto attribute = op->getAttrOfType<DenseF32ArrayAttr>(name);
      return attribute ? attribute.asArrayRef() : ArrayRef<float>();
    };
    // Parameters are consumed in order by the functions that have them.
    ArrayRef<float> alphas = values("activation_alpha"), betas = values("activation_beta");
    for (std::string &name : names) {
      Activation activation{name};
      if (!setDefaults(activation))
        return b.unsupported("the activation '" + name + "' is not one of ONNX's");
      unsigned count = parameterCount(name);
      if (count >= 1 && !alphas.empty())
        activation.alpha = alphas.consume_front();
      if (count >= 2 && !betas.empty())
        activation.beta = betas.consume_front();
      activations.push_back(activation);
    }
    return success();
  }

  Value converted(Value value, Type to) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getElementType() == to)
      return value;
    return b.broadcasting(RankedTensorType::get(type.getShape(), to), {value},
                          [&](Lowering &inner, ValueRange elements) {
                            Scalars s{inner};
                            return s.narrow(s.widen(elements[0]), to);
                          });
  }

  /// The time of `stepIndex`, or the step of a time: it is its own inverse.
  Value timeOf(Lowering &inner, Value stepIndex, Value direction) {
    if (directions == 1 && !reverseOnly)
      return stepIndex;
    Value last = count ? Value(arith::SubIOp::create(inner, count, inner.index(1)))
                       : inner.index(*steps.constant() - 1);
    Value backwards = arith::SubIOp::create(inner, last, stepIndex);
    if (reverseOnly)
      return backwards;
    Scalars s{inner};
    return s.select(s.equal(direction, inner.index(0)), stepIndex, backwards);
  }

  Value isRunning(Lowering &inner, Value length, Value direction) {
    Value time = arith::IndexCastOp::create(inner, length.getType(),
                                            timeOf(inner, step, direction));
    return Scalars{inner}.less(time, length);
  }

  /// What Y shows of the state: 0 past a sequence's end.
  Value visible(Value h) {
    if (!lengths)
      return h;
    auto type = cast<RankedTensorType>(h.getType());
    AffineMap row = AffineMap::get(3, 0, {b.getAffineDimExpr(1)}, b.getContext());
    return b.parallel(type, b.openSizes({directions, batch, units}), {h, lengths},
                      {b.getMultiDimIdentityMap(3), row}, [&](Lowering &inner, ValueRange elements) {
                        Scalars s{inner};
                        Value direction = linalg::IndexOp::create(inner, 0);
                        return s.select(isRunning(inner, elements[1], direction), elements[0],
                                        s.like(elements[0], 0));
                      });
  }

  /// (d, b, j) -> (d, gate, b, j).
  AffineMap gateMap(unsigned gate) {
    return AffineMap::get(3, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(gate),
                                 b.getAffineDimExpr(1), b.getAffineDimExpr(2)}, b.getContext());
  }

  /// A slice whose offset -1 stands for the loop's step; dimensions of size 1 that `type`
  /// lacks are dropped.
  Value slice(Value value, RankedTensorType type, ArrayRef<int64_t> at,
              ArrayRef<onnx::SizeExpr> sizes) {
    SmallVector<OpFoldResult> offsets, strides(at.size(), b.getIndexAttr(1));
    for (int64_t offset : at)
      offsets.push_back(offset < 0 ? OpFoldResult(step) : b.getIndexAttr(offset));
    return tensor::ExtractSliceOp::create(b, type, value, offsets, b.mixedSizes(sizes), strides);
  }

  /// Products of `left`, read at the result dims `rows` and then k, with gates
  /// [first, first + count) of `weights` [D, gates * units, depth].
  Value product(Value left, ArrayRef<unsigned> rows, Value weights,
                ArrayRef<onnx::SizeExpr> shape, unsigned direction, unsigned gate, int64_t depth, unsigned first, unsigned count) {
    unsigned rank = shape.size();
    auto map = [&](unsigned dims, ArrayRef<unsigned> read) {
      SmallVector<AffineExpr> exprs;
      for (unsigned d : read)
        exprs.push_back(b.getAffineDimExpr(d));
      return AffineMap::get(dims, 0, exprs, b.getContext());
    };
    SmallVector<unsigned> leftDims(rows);
    leftDims.push_back(rank);
    SmallVector<int64_t> whole{directions, gates, units, depth};
    if (element.isF32()) {
      Value panels = panelsOf(weights, whole);
      auto type = cast<RankedTensorType>(panels.getType());
      if (count != gates) {
        SmallVector<onnx::SizeExpr> sizes(type.getShape());
        sizes[1] = count;
        panels = slice(panels, b.tensorOf(sizes, element), {0, first, 0, 0, 0}, sizes);
      }
      return contract(b, b.tensorOf(shape, compute), left, panels, map(rank + 1, leftDims),
                      map(rank, {direction, gate}), {depth}, {}, nullptr, b.openSizes(shape));
    }
    Value split = b.reshape(weights, whole);
    if (count != gates) {
      SmallVector<onnx::SizeExpr> sizes{directions, int64_t(count), units, depth};
      split = slice(split, b.tensorOf(sizes, element), {0, first, 0, 0}, sizes);
    }
    // The state is kept in the compute type, wider than the weights.
    auto leftType = cast<RankedTensorType>(left.getType());
    if (leftType.getElementType() != element)
      split = converted(split, compute);
    return multiplyAccumulate(b, b.tensorOf(shape, compute).getShape(), compute,
                              {{left, map(rank + 1, leftDims)},
                               {split, map(rank + 1, {direction, gate, rank - 1, rank})}},
                              1);
  }

  /// Packed outside of the loop, once.
  Value panelsOf(Value weights, ArrayRef<int64_t> shape) {
    Value &panels = packed[weights];
    if (!panels) {
      OpBuilder::InsertionGuard guard(b);
      if (auto loop = dyn_cast<scf::ForOp>(b.getInsertionBlock()->getParentOp()))
        b.setInsertionPoint(loop);
      panels = packPanels(b, weights, shape, {0, 1, 2, 3}, 2);
    }
    return panels;
  }

  Lowering &b;
  Operation *op;
  int64_t gates;
  Value x, w, r, lengths, step;
  Value count; // of steps, where it changes from run to run
  Type element, compute;
  onnx::SizeExpr steps, batch;
  int64_t inputs = 0;
  bool batchFirst = false, reverseOnly = false;
  std::optional<double> clip;
  SmallVector<Activation> activations;
  DenseMap<Value, Value> packed;
};

//===- The cells ------------------------------------------------------------===//

/// h = f(X*W + H*R + biases).
FailureOr<SmallVector<Value>> lowerRNN(Lowering &b, Operation *op, ValueRange operands) {
  Recurrence rnn(b, op, 1);
  if (failed(rnn.prepare(operands, {"tanh"})))
    return failure();
  auto advance = [&](Value now, Value h, Value) {
    return rnn.update(now, rnn.stateGates(h, 0, 1), h, nullptr, {}, {}, [&](Step &at) {
      Value sum = at.s.add(at.input[0], at.state[0]);
      return std::pair<Value, Value>(rnn.activate(at, 0, sum), nullptr);
    });
  };
  return rnn.results(rnn.loop(rnn.initialState(operands[5]), nullptr, advance));
}

/// Gates z, r, h: h' = (1 - z) * g(...) + z * h.
FailureOr<SmallVector<Value>> lowerGRU(Lowering &b, Operation *op, ValueRange operands) {
  Recurrence gru(b, op, 3);
  gru.keepsStateBias = cast<onnx::GRUOp>(op).getLinearBeforeReset() != 0;
  if (failed(gru.prepare(operands, {"sigmoid", "tanh"})))
    return failure();
  auto mix = [](Step &at, Value z, Value candidate) {
    Value kept = at.s.mul(z, at.h);
    Value one = at.s.like(z, 1);
    return std::pair<Value, Value>(at.s.fma(at.s.sub(one, z), candidate, kept), nullptr);
  };
  auto gate = [&](Step &at, unsigned which) {
    return gru.activate(at, 0, at.s.add(at.input[which], at.state[which]));
  };
  auto advance = [&](Value now, Value h, Value) {
    if (gru.keepsStateBias)
      return gru.update(now, gru.stateGates(h, 0, 3), h, nullptr, {}, {}, [&](Step &at) {
        Value reset = at.s.mul(gate(at, 1), at.state[2]);
        return mix(at, gate(at, 0), gru.activate(at, 1, at.s.add(at.input[2], reset)));
      });
    Value early = gru.stateGates(h, 0, 2);
    AffineMap identity = b.getMultiDimIdentityMap(3);
    Value reset = gru.update(now, early, gru.scratch(), nullptr, {h}, {identity}, [&](Step &at) {
                        return std::pair<Value, Value>(at.s.mul(gate(at, 1), at.extras[0]),
                                                       nullptr);
                      }).first;
    Value late = gru.stateGates(reset, 2, 1);
    AffineMap only = AffineMap::get(3, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(0),
                                           b.getAffineDimExpr(1), b.getAffineDimExpr(2)},
                                    b.getContext());
    return gru.update(now, early, h, nullptr, {late}, {only}, [&](Step &at) {
      Value sum = at.s.add(at.input[2], at.extras[0]);
      return mix(at, gate(at, 0), gru.activate(at, 1, sum));
    });
  };
  return gru.results(gru.loop(gru.initialState(operands[5]), nullptr, advance));
}

/// Gates i, o, f, c; P holds the peepholes of i, o and f.
FailureOr<SmallVector<Value>> lowerLSTM(Lowering &b, Operation *op, ValueRange operands) {
  Recurrence lstm(b, op, 4);
  if (failed(lstm.prepare(operands, {"sigmoid", "tanh", "tanh"})))
    return failure();
  bool couples = cast<onnx::LSTMOp>(op).getInputForget() != 0;
  SmallVector<Value> peepholes;
  SmallVector<AffineMap> peepholeMaps;
  if (operands[7]) {
    Value p = b.reshape(operands[7], {lstm.directions, 3, lstm.units});
    for (unsigned i : {0, 1, 2}) {
      peepholes.push_back(p);
      peepholeMaps.push_back(lstm.perUnit(i));
    }
  }
  auto advance = [&](Value now, Value h, Value c) {
    return lstm.update(now, lstm.stateGates(h, 0, 4), h, c, peepholes, peepholeMaps,
                       [&](Step &at) {
                         auto gate = [&](unsigned which, unsigned function, Value cell) {
                           Value sum = at.s.add(at.input[which], at.state[which]);
                           if (cell && !at.extras.empty())
                             sum = at.s.fma(at.extras[which], cell, sum);
                           return lstm.activate(at, function, sum);
                         };
                         Value in = gate(0, 0, at.c);
                         Value forget = couples ? at.s.sub(at.s.like(in, 1), in) : gate(2, 0, at.c);
                         Value candidate = gate(3, 1, nullptr);
                         Value cell = at.s.fma(forget, at.c, at.s.mul(in, candidate));
                         Value out = gate(1, 0, cell);
                         Value shown = lstm.activate(at, 2, cell, /*isGate=*/false);
                         return std::pair<Value, Value>(at.s.mul(out, shown), cell);
                       });
  };
  return lstm.results(lstm.loop(lstm.initialState(operands[5]), lstm.initialState(operands[6]),
                                advance));
}

} // namespace

void registerRecurrent(RuleTable &table) {
  table.add<onnx::RNNOp>(lowerRNN, Sizes::Dynamic);
  table.add<onnx::GRUOp>(lowerGRU, Sizes::Dynamic);
  table.add<onnx::LSTMOp>(lowerLSTM, Sizes::Dynamic);
}

} // namespace burin::lower
