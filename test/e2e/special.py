# SPDX-License-Identifier: Apache-2.0
"""A model of many operators and element types, and inputs where machines differ in what they do."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

COUNT = 293 # no multiple of a vector

UNARY = """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish
    LeakyRelu Log Mish Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan
    Tanh ThresholdedRelu IsNaN IsInf""".split()
# What narrow floats need besides their conversions, which go through f32 or f64.
NARROW = "Abs Asin Ceil Exp Erf Neg Reciprocal Round Sigmoid Sign Sqrt Tanh IsNaN".split()
BINARY = "Add Sub Mul Div Pow Max Min PRelu Equal Less LessOrEqual Greater".split()
INTEGER = "Add Sub Mul Div Mod Max Min Equal Less".split()
BITS = "BitwiseAnd BitwiseOr BitwiseXor".split()
REDUCE = "ReduceSum ReduceMax ReduceMin ReduceProd ReduceMean ReduceL1 ReduceL2 ReduceLogSumExp ReduceSumSquare".split()

SIGNED = [TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64]
UNSIGNED = [TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64]
FLOATS = [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE]
SMALL = [TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2,
         TensorProto.FLOAT8E5M2FNUZ]


def floats(random):
    """f32: what is special, powers of two with neighbours, then any bits."""
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-45, -1e-45, 1e-40,
               1.17549435e-38, 3.4028235e38, -3.4028235e38, 88.72283, 88.72284, -87.33655, -103.97208, 127.5,
               128.5, 255.5, -128.5, 32767.5, 65504, 65519.9, 65520, 5.9604645e-8, 2.9802322e-8, 2147483648.0,
               -2147483904.0, 4294967296.0, 9.223372e18, 1.8446744e19, 448, 464, 57344, 61440, np.pi, 1e10, 240]
    bits = random.integers(0, 1 << 32, COUNT - len(special), dtype=np.uint64).astype(np.uint32)
    return np.concatenate([np.array(special, np.float32), bits.view(np.float32)])


def integers(random, dtype):
    info = np.iinfo(dtype)
    special = np.array([0, 1, 2, info.min, info.max, info.max - 1, info.bits, info.bits - 1], dtype)
    rest = random.integers(info.min, info.max, COUNT - len(special), dtype=dtype, endpoint=True)
    return np.concatenate([special, np.where(rest % 3 == 0, rest % 7, rest).astype(dtype)])


def special_values_model():
    """The model, and {input: TensorProto}."""
    random = np.random.default_rng(7)
    inputs, nodes, data = [], [], {}

    def give(name, array, to):
        tensor = numpy_helper.from_array(array.astype(helper.tensor_dtype_to_np_dtype(to)), name)
        data[name] = tensor
        inputs.append(helper.make_tensor_value_info(name, to, list(array.shape)))
        return name

    def node(op, operands, kind, suffix="", **attributes):
        name = f"{op}_{TensorProto.DataType.Name(kind)}{suffix}"
        nodes.append(helper.make_node(op, operands, [name], name=name, **attributes))
        return name

    with np.errstate(all="ignore"):
        x, y = floats(random), random.permutation(floats(random))
        given = {to: (give(f"x{to}", x, to), give(f"y{to}", y, to)) for to in FLOATS}
        for to in SIGNED + UNSIGNED:
            dtype = helper.tensor_dtype_to_np_dtype(to)
            given[to] = (give(f"x{to}", integers(random, dtype), to),
                         give(f"y{to}", random.permutation(integers(random, dtype)), to))
        rows = give("rows", random.standard_normal((7, COUNT)), TensorProto.FLOAT)
        odd = give("odd", np.resize(np.concatenate([x[5:], x[:5]]), (7, COUNT)), TensorProto.FLOAT)
    for to in FLOATS:
        for op in UNARY if to in (TensorProto.FLOAT, TensorProto.DOUBLE) else NARROW:
            node(op, [given[to][0]], to)
        for op in BINARY:
            node(op, list(given[to]), to)
        node("Mod", list(given[to]), to, fmod=1)
        for target in SIGNED + UNSIGNED + FLOATS + [TensorProto.BOOL]:
            if target != to:
                node("Cast", [given[to][0]], to, f"_{target}", to=target)
    for target in SMALL:
        for saturate in (0, 1):
            small = node("Cast", [given[TensorProto.FLOAT][0]], target, f"_{saturate}", to=target,
                         saturate=saturate)
            node("Cast", [small], target, f"_back_{saturate}", to=TensorProto.FLOAT)
    for to in SIGNED + UNSIGNED:
        for op in INTEGER + BITS:
            node(op, list(given[to]), to)
        for target in FLOATS:
            node("Cast", [given[to][0]], to, f"_{target}", to=target)
    for to in UNSIGNED:
        for direction in ("LEFT", "RIGHT"):
            node("BitShift", list(given[to]), to, f"_{direction}", direction=direction)
    for name, operand in (("", rows), ("_odd", odd)):
        for op in REDUCE:
            node(op, [operand], TensorProto.FLOAT, name)
        node("Softmax", [operand], TensorProto.FLOAT, name)
        node("LogSoftmax", [operand], TensorProto.FLOAT, name)
        node("CumSum", [operand, "one"], TensorProto.FLOAT, name)
        node("ArgMax", [operand], TensorProto.FLOAT, name, axis=1)
    # Axes are -1 for the reductions: an input since opset 18.
    for made in nodes:
        if made.op_type in REDUCE:
            made.input.append("last")
    constants = [numpy_helper.from_array(np.array([-1], np.int64), "last"),
                 numpy_helper.from_array(np.array(1, np.int64), "one")]
    outputs = [helper.make_empty_tensor_value_info(made.output[0]) for made in nodes]
    graph = helper.make_graph(nodes, "special", inputs, outputs, constants)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 22)])
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    types = {value.name: value for value in [*inferred.graph.value_info, *inferred.graph.output]}
    del model.graph.output[:]
    model.graph.output.extend(types[value.name] for value in outputs)
    onnx.checker.check_model(model)
    return model, data
