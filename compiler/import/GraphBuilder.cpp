// SPDX-License-Identifier: Apache-2.0
//
// One op per node, in the file's order. Each op's result types are inferred and it is
// folded as soon as it stands, so that shapes computed by the model are constants when
// the nodes that read them are built.

#include "compiler/import/GraphBuilder.h"

#include "compiler/import/Model.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/SizeExpr.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringMap.h"
#include "onnx/defs/schema.h"

using namespace llvm;
using namespace mlir;

// The dialect's namespace, beside ONNX's own.
namespace dialect = burin::onnx;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;

namespace burin::importer {

//===- Types ----------------------------------------------------------------===//

static ArrayRef<StringAttr> sizeNames(RankedTensorType type) {
  auto dims = dyn_cast_or_null<dialect::DimsAttr>(type.getEncoding());
  return dims ? dims.getNames() : ArrayRef<StringAttr>();
}

mlir::Type refineType(mlir::Type type, mlir::Type declared) {
  if (!declared || type == declared)
    return type;
  MLIRContext *context = type.getContext();
  if (auto a = dyn_cast<dialect::SequenceType>(type))
    if (auto b = dyn_cast<dialect::SequenceType>(declared)) {
      mlir::Type element = refineType(a.getElement(), b.getElement());
      return element ? dialect::SequenceType::get(context, element) : mlir::Type();
    }
  if (auto a = dyn_cast<dialect::OptionalType>(type))
    if (auto b = dyn_cast<dialect::OptionalType>(declared)) {
      mlir::Type element = refineType(a.getElement(), b.getElement());
      return element ? dialect::OptionalType::get(context, element) : mlir::Type();
    }
  auto a = dyn_cast<TensorType>(type), b = dyn_cast<TensorType>(declared);
  if (!a || !b || a.getElementType() != b.getElementType())
    return {};
  auto ranked = dyn_cast<RankedTensorType>(a), other = dyn_cast<RankedTensorType>(b);
  if (!ranked || !other)
    return ranked ? type : declared;
  if (ranked.getRank() != other.getRank())
    return {};
  SmallVector<int64_t> sizes(ranked.getShape());
  SmallVector<StringAttr> names(sizes.size(), StringAttr::get(context));
  bool named = false;
  ArrayRef<StringAttr> names1 = sizeNames(ranked), names2 = sizeNames(other);
  for (auto [i, size] : llvm::enumerate(sizes)) {
    int64_t declaredSize = other.getDimSize(i);
    if (ShapedType::isDynamic(size))
      size = declaredSize;
    else if (!ShapedType::isDynamic(declaredSize) && declaredSize != size)
      return {};
    if (!ShapedType::isDynamic(size))
      continue;
    if (i < names1.size() && !names1[i].empty())
      names[i] = names1[i];
    else if (i < names2.size())
      names[i] = names2[i];
    named |= !names[i].empty();
  }
  Attribute encoding;
  if (named)
    encoding = dialect::DimsAttr::get(context, names);
  return RankedTensorType::get(sizes, ranked.getElementType(), encoding);
}

namespace {

/// What a name stands for in one graph. Constants become ops when they are first
/// used, at the start of the graph's block.
struct Scope {
  Scope *outer = nullptr;
  Block *block = nullptr;
  Operation *lastConstant = nullptr;
  StringMap<Value> values;
  StringMap<TypedAttr> constants;
  StringMap<mlir::Type> types; // as ONNX infers or the model declares them
};

class GraphBuilder {
public:
  GraphBuilder(MLIRContext *context, const ImportOptions &options, TensorReader &tensors,
               Problems &problems)
      : context(context), options(options), tensors(tensors), problems(problems),
        builder(context) {}

  OwningOpRef<ModuleOp> build(const ::onnx::ModelProto &model);

private:
  // Graphs.
  void declare(const GraphProto &graph, Scope &scope);
  void buildNodes(const GraphProto &graph, Scope &scope);
  SmallVector<Value> outputs(const GraphProto &graph, Scope &scope);
  void buildRegion(const NodeProto &node, const GraphProto &graph, ArrayRef<Value> operands,
                   Scope &outer, Region &region);
  SmallVector<mlir::Type> argumentTypes(const NodeProto &node, const GraphProto &graph,
                                        ArrayRef<Value> operands);

  // Nodes.
  void buildNode(const NodeProto &node, Scope &scope);
  void buildConstant(const NodeProto &node, Scope &scope);
  SmallVector<mlir::Type> resultTypes(const NodeProto &node, const OpSchema &schema,
                                      ArrayRef<Value> operands, Scope &scope);
  SmallVector<Value> operands(const NodeProto &node, const OpSchema &schema, Scope &scope);
  Attribute attribute(const NodeProto &node, const AttributeProto &proto);
  TypedAttr tensor(mlir::Location where, StringRef name, const ::onnx::TensorProto &proto);
  Location location(const NodeProto &node);
  void inferTypes(Operation *op, const NodeProto &node, Scope &scope);
  void define(const NodeProto &node, Scope &scope, ValueRange results);

  // Values.
  Value find(StringRef name, Scope &scope);
  Value constant(Location where, TypedAttr value);
  Value none();

  MLIRContext *context;
  const ImportOptions &options;
  TensorReader &tensors;
  Problems &problems;
  OpBuilder builder;
  Block *entry = nullptr;
  Value absent;
};

//===- Values ---------------------------------------------------------------===//

Value GraphBuilder::constant(Location where, TypedAttr value) {
  return dialect::ConstantOp::create(builder, where, value.getType(), value);
}

Value GraphBuilder::none() {
  if (!absent) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(entry);
    absent = dialect::NoneOp::create(builder, builder.getUnknownLoc());
  }
  return absent;
}

Value GraphBuilder::find(StringRef name, Scope &scope) {
  for (Scope *each = &scope; each; each = each->outer) {
    if (Value value = each->values.lookup(name))
      return value;
    auto at = each->constants.find(name);
    if (at == each->constants.end())
      continue;
    OpBuilder::InsertionGuard guard(builder);
    if (each->lastConstant)
      builder.setInsertionPointAfter(each->lastConstant);
    else
      builder.setInsertionPointToStart(each->block);
    Value value = constant(problems.namedLocation(name), at->second);
    each->lastConstant = value.getDefiningOp();
    each->values[name] = value;
    return value;
  }
  return {};
}

TypedAttr GraphBuilder::tensor(mlir::Location where, StringRef name,
                               const ::onnx::TensorProto &proto) {
  Expected<TypedAttr> value = tensors.read(proto);
  if (value)
    return *value;
  problems.error(ImportStatus::badFile, where,
                 "tensor '" + name + "' " + toString(value.takeError()));
  return {};
}

//===- Nodes ----------------------------------------------------------------===//

Location GraphBuilder::location(const NodeProto &node) {
  Location name = problems.nodeLocation(node);
  if (node.doc_string().empty() && node.metadata_props().empty())
    return name;
  NamedAttrList notes;
  for (const auto &entry : node.metadata_props())
    if (!entry.key().empty())
      notes.set(entry.key(), builder.getStringAttr(entry.value()));
  if (!node.doc_string().empty())
    notes.set("doc_string", builder.getStringAttr(node.doc_string()));
  return FusedLoc::get({name}, notes.getDictionary(context), context);
}

Attribute GraphBuilder::attribute(const NodeProto &node, const AttributeProto &proto) {
  switch (proto.type()) {
  case AttributeProto::INT:
    return builder.getI64IntegerAttr(proto.i());
  case AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(SmallVector<int64_t>(proto.ints().begin(), proto.ints().end()));
  case AttributeProto::FLOAT:
    return builder.getF32FloatAttr(proto.f());
  case AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(
        SmallVector<float>(proto.floats().begin(), proto.floats().end()));
  case AttributeProto::STRING:
    return builder.getStringAttr(proto.s());
  case AttributeProto::STRINGS:
    return builder.getStrArrayAttr(
        SmallVector<StringRef>(proto.strings().begin(), proto.strings().end()));
  case AttributeProto::TENSOR:
    return tensor(problems.nodeLocation(node), proto.name(), proto.t());
  case AttributeProto::TYPE_PROTO:
    if (mlir::Type type = importType(context, proto.tp()))
      return TypeAttr::get(type);
    break;
  default:
    break;
  }
  problems.error(ImportStatus::unsupported, node,
                 "has the attribute '" + proto.name() + "' of a kind that is not supported");
  return {};
}

SmallVector<Value> GraphBuilder::operands(const NodeProto &node, const OpSchema &schema,
                                          Scope &scope) {
  SmallVector<Value> values;
  for (const std::string &name : node.input()) {
    Value value = name.empty() ? none() : find(name, scope);
    if (!value) // its producer has been reported
      return {};
    values.push_back(value);
  }
  const auto &inputs = schema.inputs();
  size_t fixed = inputs.size();
  if (fixed && inputs.back().GetOption() == OpSchema::Variadic)
    --fixed;
  while (values.size() < fixed)
    values.push_back(none());
  return values;
}

SmallVector<mlir::Type> GraphBuilder::resultTypes(const NodeProto &node, const OpSchema &schema,
                                                  ArrayRef<Value> operands, Scope &scope) {
  const auto &formal = schema.outputs();
  bool variadic = !formal.empty() && formal.back().GetOption() == OpSchema::Variadic;
  size_t count = variadic ? node.output_size() : formal.size();
  SmallVector<mlir::Type> types;
  for (size_t i = 0; i < count; ++i) {
    bool used = i < size_t(node.output_size()) && !node.output(i).empty();
    if (!used && formal[std::min(i, formal.size() - 1)].GetOption() == OpSchema::Optional) {
      types.push_back(builder.getNoneType());
      continue;
    }
    mlir::Type declared = used ? scope.types.lookup(node.output(i)) : mlir::Type();
    mlir::Type element;
    if (auto tensor = dyn_cast_or_null<TensorType>(declared))
      element = tensor.getElementType();
    if (declared && !element) { // a sequence or an optional
      types.push_back(declared);
      continue;
    }
    // Where ONNX's inference found nothing, most operators keep their operand's type.
    for (Value operand : operands)
      if (auto tensor = dyn_cast<TensorType>(operand.getType()); tensor && !element)
        element = tensor.getElementType();
    types.push_back(UnrankedTensorType::get(element ? element : builder.getF32Type()));
  }
  return types;
}

void GraphBuilder::inferTypes(Operation *op, const NodeProto &node, Scope &scope) {
  if (auto inference = dyn_cast<dialect::OnnxOpInterface>(op)) {
    SmallVector<mlir::Type> types(op->getResultTypes());
    LogicalResult inferred = success();
    if (scope.outer) {
      // A branch may be for other sizes: whether that is wrong, infer-shapes says.
      ScopedDiagnosticHandler quiet(context, [](Diagnostic &) { return success(); });
      inferred = inference.inferResultTypes(types);
    } else if (failed(inferred = inference.inferResultTypes(types))) {
      problems.reported(ImportStatus::badFile);
    }
    if (succeeded(inferred))
      for (auto [result, type] : llvm::zip_equal(op->getResults(), types))
        result.setType(type);
  }
  for (auto [i, name] : llvm::enumerate(node.output())) {
    if (i >= op->getNumResults() || name.empty())
      continue;
    mlir::Type declared = scope.types.lookup(name);
    OpResult result = op->getResult(i);
    if (mlir::Type refined = refineType(result.getType(), declared))
      result.setType(refined);
    else
      problems.warn(op->getLoc(), "'" + node.op_type() + "' gives a value of another type than is "
                                  "declared for '" + name + "'; the declaration is ignored");
  }
}

void GraphBuilder::define(const NodeProto &node, Scope &scope, ValueRange results) {
  for (auto [name, result] : llvm::zip(node.output(), results))
    if (!name.empty())
      scope.values[name] = result;
}

void GraphBuilder::buildConstant(const NodeProto &node, Scope &scope) {
  TypedAttr value;
  auto vector = [&](size_t size, mlir::Type element) {
    return RankedTensorType::get({int64_t(size)}, element);
  };
  mlir::Type i64 = builder.getIntegerType(64, /*isSigned=*/true), f32 = builder.getF32Type();
  mlir::Type string = dialect::StringType::get(context);
  auto scalar = [](mlir::Type element) { return RankedTensorType::get({}, element); };
  for (const AttributeProto &proto : node.attribute()) {
    StringRef name = proto.name();
    if (name == "value")
      value = tensor(problems.nodeLocation(node), name, proto.t());
    else if (name == "sparse_value") {
      Expected<TypedAttr> dense = tensors.read(proto.sparse_tensor());
      if (dense)
        value = *dense;
      else
        problems.error(ImportStatus::badFile, node, toString(dense.takeError()));
    } else if (name == "value_int")
      value = DenseElementsAttr::get(scalar(i64), APInt(64, proto.i()));
    else if (name == "value_ints")
      value = DenseElementsAttr::get(
          vector(proto.ints_size(), i64),
          ArrayRef<int64_t>(SmallVector<int64_t>(proto.ints().begin(), proto.ints().end())));
    else if (name == "value_float")
      value = DenseElementsAttr::get(scalar(f32), APFloat(proto.f()));
    else if (name == "value_floats")
      value = DenseElementsAttr::get(
          vector(proto.floats_size(), f32),
          ArrayRef<float>(SmallVector<float>(proto.floats().begin(), proto.floats().end())));
    else if (name == "value_string") {
      StringRef text = proto.s();
      value = DenseStringElementsAttr::get(scalar(string), {text});
    } else if (name == "value_strings")
      value = DenseStringElementsAttr::get(
          vector(proto.strings_size(), string),
          SmallVector<StringRef>(proto.strings().begin(), proto.strings().end()));
  }
  if (!value) {
    if (node.attribute().empty())
      problems.error(ImportStatus::badFile, node, "has no value");
    return;
  }
  scope.values[node.output(0)] = constant(location(node), value);
}

void GraphBuilder::buildNode(const NodeProto &node, Scope &scope) {
  if (node.domain().empty() && node.op_type() == "Constant")
    return buildConstant(node, scope);
  std::optional<RegisteredOperationName> name;
  if (node.domain().empty())
    name = RegisteredOperationName::lookup("onnx." + node.op_type(), context);
  const OpSchema *schema =
      ::onnx::OpSchemaRegistry::Schema(node.op_type(), int(dialectOpset), node.domain());
  if (!name || !schema) {
    problems.error(ImportStatus::unsupported, node,
                   "is not supported; replace it by operators that are, or compute it outside of "
                   "the model");
    return;
  }
  OperationState state(location(node), *name);
  SmallVector<Value> values = operands(node, *schema, scope);
  if (values.size() < size_t(node.input_size()))
    return;
  state.addOperands(values);
  state.addTypes(resultTypes(node, *schema, values, scope));

  SmallVector<const AttributeProto *> graphs;
  for (const AttributeProto &proto : node.attribute()) {
    if (proto.type() == AttributeProto::GRAPH)
      graphs.push_back(&proto);
    else if (Attribute value = attribute(node, proto))
      state.addAttribute(proto.name(), value);
    else
      return;
  }
  llvm::sort(graphs, [](const AttributeProto *a, const AttributeProto *b) {
    return a->name() < b->name();
  });
  for (const AttributeProto *proto : graphs)
    buildRegion(node, proto->g(), values, scope, *state.addRegion());

  Operation *op = builder.create(state);
  inferTypes(op, node, scope);
  SmallVector<Value> folded;
  if (succeeded(builder.tryFold(op, folded)) && !folded.empty()) {
    define(node, scope, folded);
    op->erase();
    return;
  }
  define(node, scope, op->getResults());
}

//===- Graphs ---------------------------------------------------------------===//

void GraphBuilder::declare(const GraphProto &graph, Scope &scope) {
  for (auto *values : {&graph.value_info(), &graph.output()})
    for (const auto &value : *values)
      if (mlir::Type type = importType(context, value.type()))
        scope.types[value.name()] = type;
  for (const auto &proto : graph.initializer())
    if (TypedAttr value = tensor(problems.fileLocation(), proto.name(), proto))
      scope.constants[proto.name()] = value;
  for (const auto &proto : graph.sparse_initializer()) {
    Expected<TypedAttr> value = tensors.read(proto);
    if (value)
      scope.constants[proto.values().name()] = *value;
    else
      problems.error(ImportStatus::badFile, "tensor '" + proto.values().name() + "' " +
                                                toString(value.takeError()));
  }
}

void GraphBuilder::buildNodes(const GraphProto &graph, Scope &scope) {
  for (const NodeProto &node : graph.node())
    buildNode(node, scope);
}

SmallVector<Value> GraphBuilder::outputs(const GraphProto &graph, Scope &scope) {
  SmallVector<Value> values;
  for (const auto &output : graph.output())
    if (Value value = find(output.name(), scope))
      values.push_back(value);
  return values;
}

/// The types of a body's arguments: what it declares, with the element types that
/// Loop and Scan give them.
SmallVector<mlir::Type> GraphBuilder::argumentTypes(const NodeProto &node, const GraphProto &graph,
                                                    ArrayRef<Value> operands) {
  SmallVector<mlir::Type> types;
  bool loop = node.op_type() == "Loop";
  for (auto [i, input] : llvm::enumerate(graph.input())) {
    mlir::Type declared = importType(context, input.type());
    mlir::Type given;
    if (loop && i == 0)
      given = RankedTensorType::get({}, builder.getIntegerType(64, true));
    else if (loop && i == 1)
      given = RankedTensorType::get({}, builder.getI1Type());
    else if (i < operands.size()) {
      given = operands[i].getType();
      // The sizes may change from one iteration to the next, and Scan takes slices.
      if (auto tensor = dyn_cast<TensorType>(given))
        given = UnrankedTensorType::get(tensor.getElementType());
    }
    mlir::Type type = given ? refineType(given, declared) : declared;
    if (!type) {
      problems.error(ImportStatus::badFile, node,
                     "has a body whose input '" + input.name() +
                         "' is declared with another type than it is given");
      type = given ? given : mlir::Type(UnrankedTensorType::get(builder.getF32Type()));
    }
    types.push_back(type);
  }
  return types;
}

void GraphBuilder::buildRegion(const NodeProto &node, const GraphProto &graph,
                               ArrayRef<Value> operands, Scope &outer, Region &region) {
  OpBuilder::InsertionGuard guard(builder);
  Scope scope;
  scope.outer = &outer;
  scope.block = builder.createBlock(&region);
  SmallVector<mlir::Type> types = argumentTypes(node, graph, operands);
  for (auto [input, type] : llvm::zip_equal(graph.input(), types))
    scope.values[input.name()] =
        scope.block->addArgument(type, problems.namedLocation(input.name()));
  declare(graph, scope);
  buildNodes(graph, scope);
  dialect::YieldOp::create(builder, problems.nodeLocation(node), outputs(graph, scope));
}

OwningOpRef<ModuleOp> GraphBuilder::build(const ::onnx::ModelProto &model) {
  const GraphProto &graph = model.graph();
  OwningOpRef<ModuleOp> module = ModuleOp::create(problems.fileLocation());
  builder.setInsertionPointToEnd(module->getBody());

  // Shapes that are computed are folded on the way where ranges decide them.
  NamedAttrList ranges;
  for (const auto &[name, spec] : options.dims)
    if (!spec.isFixed())
      ranges.set(name, builder.getDenseI64ArrayAttr({spec.min, spec.max}));
  if (!ranges.empty())
    (*module)->setAttr(dialect::dimRangesAttrName, ranges.getDictionary(context));
  SmallVector<mlir::Type> inputs;
  SmallVector<NamedAttribute> attributes;
  for (const auto &input : graph.input()) {
    mlir::Type type = importType(context, input.type());
    if (!type) {
      problems.error(ImportStatus::unsupported, problems.namedLocation(input.name()),
                     "input '" + input.name() +
                         "' has no type, or one that is not supported; tensors, sequences and "
                         "optionals are");
      continue;
    }
    inputs.push_back(type);
  }
  if (problems.any()) // nodes of such an input have nothing to go by
    return {};
  auto function = func::FuncOp::create(builder, problems.fileLocation(), "main",
                                       builder.getFunctionType(inputs, {}));
  Scope scope;
  scope.block = entry = function.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(graph.input())) {
    scope.values[input.name()] = function.getArgument(i);
    function.getArgument(i).setLoc(problems.namedLocation(input.name()));
    function.setArgAttr(i, "onnx.name", builder.getStringAttr(input.name()));
  }
  builder.setInsertionPointToEnd(entry);
  declare(graph, scope);
  buildNodes(graph, scope);
  SmallVector<Value> results = outputs(graph, scope);
  if (problems.any())
    return {};
  func::ReturnOp::create(builder, problems.fileLocation(), results);

  function.setFunctionType(builder.getFunctionType(inputs, ValueRange(results).getTypes()));
  for (auto [i, output] : llvm::enumerate(graph.output()))
    function.setResultAttr(i, "onnx.name", builder.getStringAttr(output.name()));
  // The names of sizes outlive --dim, which makes them numbers.
  auto dimNames = [&](StringRef value) {
    const std::vector<std::string> &names = problems.report.dimNames[value.str()];
    bool isNamed = llvm::any_of(names, [](StringRef name) { return !name.empty(); });
    return isNamed ? builder.getStrArrayAttr(llvm::to_vector_of<StringRef>(names)) : ArrayAttr();
  };
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (ArrayAttr names = dimNames(function.getArgAttrOfType<StringAttr>(i, "onnx.name")))
      function.setArgAttr(i, "onnx.dim_names", names);
  for (auto [i, output] : llvm::enumerate(graph.output()))
    if (ArrayAttr names = dimNames(output.name()))
      function.setResultAttr(i, "onnx.dim_names", names);
  for (Operation &op : llvm::make_early_inc_range(*entry))
    if (isa<dialect::ConstantOp, dialect::NoneOp>(op) && op.use_empty())
      op.erase();

  return module;
}

} // namespace

OwningOpRef<ModuleOp> buildModule(MLIRContext *context, const ::onnx::ModelProto &model,
                                  const ImportOptions &options, TensorReader &tensors,
                                  Problems &problems) {
  return GraphBuilder(context, options, tensors, problems).build(model);
}

} // namespace burin::importer
