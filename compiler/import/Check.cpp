// SPDX-License-Identifier: Apache-2.0
//
// The rules that a graph must keep before anything is built from it: known
// operators used as they are defined, names defined once and before their uses.
// ONNX's checker stops at the first fault; this one lists all.

#include "compiler/import/Model.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "onnx/defs/schema.h"

#include <queue>

using namespace llvm;
using namespace ::onnx;

namespace burin::importer {
namespace {

class Checker {
public:
  Checker(ModelProto &model, Problems &problems) : problems(problems) {
    for (const OperatorSetIdProto &opset : model.opset_import())
      versions[opset.domain()] = int(opset.version());
    for (const FunctionProto &function : model.functions())
      functions.insert(function.domain() + "::" + function.name());
  }

  struct Scope {
    const Scope *outer = nullptr;
    StringSet<> names;
    bool knows(StringRef name) const {
      return names.contains(name) || (outer && outer->knows(name));
    }
  };

  static bool isTyped(const TypeProto &type) {
    switch (type.value_case()) {
    case TypeProto::kTensorType:
      return type.tensor_type().elem_type() != TensorProto::UNDEFINED &&
             TensorProto::DataType_IsValid(type.tensor_type().elem_type());
    case TypeProto::kSequenceType:
      return isTyped(type.sequence_type().elem_type());
    case TypeProto::kOptionalType:
      return isTyped(type.optional_type().elem_type());
    default:
      return type.value_case() != TypeProto::VALUE_NOT_SET;
    }
  }

  /// `where`: the node whose subgraph it is, if it is one.
  void check(GraphProto &graph, const Scope *outer, mlir::Location where) {
    Scope scope{outer, {}};
    std::string of = outer ? " of its subgraph '" + graph.name() + "'" : "";
    for (const ValueInfoProto &input : graph.input()) {
      define(scope, input.name(), where, ", as an input" + of);
      // What a body is given says its type; a model's callers have only the declaration.
      if (!outer && !isTyped(input.type()))
        problems.error(ImportStatus::badFile,
                       "input '" + input.name() +
                           "' is declared without a type of its elements, or "
                           "with one that ONNX does not define");
    }
    for (const TensorProto &tensor : graph.initializer())
      defineConstant(scope, tensor.name(), where, of);
    for (const SparseTensorProto &tensor : graph.sparse_initializer())
      defineConstant(scope, tensor.values().name(), where, of);
    // A node of a cycle has been reported; that it uses what comes later is no news.
    bool ordered = isSorted(graph, scope) || sort(graph, scope);
    for (NodeProto &node : *graph.mutable_node())
      check(node, scope, ordered);
    StringSet<> outputs;
    for (const ValueInfoProto &output : graph.output()) {
      if (!scope.knows(output.name()))
        problems.error(ImportStatus::badFile,
                       "output '" + output.name() + "' is not produced by any node");
      if (!outer && !outputs.insert(output.name()).second)
        problems.error(ImportStatus::badFile, "output '" + output.name() + "' is listed twice");
    }
  }

private:
  void define(Scope &scope, const std::string &name, mlir::Location where, const Twine &as = "") {
    if (name.empty())
      return;
    if (scope.knows(name))
      problems.error(ImportStatus::badFile, where,
                     "'" + name + "' is defined twice" + as + "; every value needs a name of its own");
    scope.names.insert(name);
  }

  void defineConstant(Scope &scope, const std::string &name, mlir::Location where, const std::string &of) {
    if (name.empty())
      problems.error(ImportStatus::badFile, where, "an initialiser" + of + " has no name");
    else
      define(scope, name, where, ", as an initialiser" + of);
  }

  void check(NodeProto &node, Scope &scope, bool ordered) {
    for (const std::string &input : node.input())
      if (ordered && !input.empty() && !scope.knows(input))
        problems.error(ImportStatus::badFile, node,
                       "uses '" + input + "', which no node before it produces");
    for (AttributeProto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        check(*attribute.mutable_g(), &scope, problems.nodeLocation(node));
      for (GraphProto &inner : *attribute.mutable_graphs())
        check(inner, &scope, problems.nodeLocation(node));
    }
    checkDefinition(node);
    // The types of what subgraphs yield are inferred by name. No file has a name like this.
    bool hasGraphs = llvm::any_of(node.attribute(), [](const AttributeProto &attribute) { return attribute.has_g(); });
    for (std::string &output : *node.mutable_output())
      if (hasGraphs && output.empty())
        output = "\nunnamed " + std::to_string(unnamed++);
    for (const std::string &output : node.output())
      define(scope, output, problems.nodeLocation(node));
  }

  void checkDefinition(const NodeProto &node) {
    if (functions.contains(node.domain() + "::" + node.op_type())) {
      problems.error(ImportStatus::unsupported, node,
                     "calls a function that imports other operator sets than the model; export "
                     "both with the same");
      return;
    }
    auto version = versions.find(node.domain());
    if (version == versions.end()) {
      problems.error(ImportStatus::badFile, node,
                     "is of the operator set '" + node.domain() +
                         "', which the model does not import");
      return;
    }
    const OpSchema *schema =
        OpSchemaRegistry::Schema(node.op_type(), version->second, node.domain());
    if (!schema)
      return unknownOperator(node, version->second);
    if (schema->Deprecated())
      return withdrawnOperator(node, *schema, version->second);
    if (int input = missingInput(node, *schema); input >= 0)
      return problems.error(ImportStatus::badFile, node,
                            "leaves out its input '" + schema->inputs()[input].GetName() + "', which opset " +
                                Twine(version->second) + " asks for; " + insteadOf(node, input, version->second));
    try {
      schema->Verify(node);
    } catch (const std::exception &error) {
      // The library begins with the node's name and schema, which the location has.
      StringRef text = StringRef(error.what()).trim();
      size_t end = text.starts_with("Node(") ? text.find(") with schema(") : StringRef::npos;
      if (end != StringRef::npos)
        text = text.substr(text.find(") ", end + 2)).drop_front(2);
      problems.error(ImportStatus::badFile, node, text.rtrim("."));
    }
  }

  /// The first input that has no name although its operator asks for it; -1: none.
  static int missingInput(const NodeProto &node, const OpSchema &schema) {
    const auto &formal = schema.inputs();
    for (int i = 0; i < std::min<int>(node.input_size(), formal.size()); ++i)
      if (node.input(i).empty() && formal[i].GetOption() == OpSchema::Single)
        return i;
    return -1;
  }

  /// What to do about it: newer opsets may not ask.
  static std::string insteadOf(const NodeProto &node, int input, int version) {
    for (int later = version + 1; later <= int(dialectOpset); ++later) {
      const OpSchema *next = OpSchemaRegistry::Schema(node.op_type(), later, node.domain());
      if (next && input < int(next->inputs().size()) &&
          next->inputs()[input].GetOption() != OpSchema::Single)
        return "give it, or export with opset " + std::to_string(later) + " or newer, which does not";
    }
    return "every node must give it";
  }

  void unknownOperator(const NodeProto &node, int version) {
    if (!node.domain().empty()) {
      problems.error(ImportStatus::unsupported, node,
                     "of the operator set '" + node.domain() +
                         "' is not supported; give it as a function in the model, or replace it by "
                         "operators of ONNX");
      return;
    }
    if (const OpSchema *newest =
            OpSchemaRegistry::Schema(node.op_type(), int(dialectOpset), node.domain())) {
      problems.error(ImportStatus::badFile, node,
                     "exists from opset " + Twine(firstVersion(newest)) +
                         " on, but the model uses opset " + Twine(version));
      return;
    }
    problems.error(ImportStatus::badFile, node, "is no operator of ONNX");
  }

  /// An operator that ONNX took back: for good, or to define it anew later.
  void withdrawnOperator(const NodeProto &node, const OpSchema &schema, int version) {
    for (int later = version + 1; later <= int(dialectOpset); ++later) {
      const OpSchema *next = OpSchemaRegistry::Schema(node.op_type(), later, node.domain());
      if (!next || next->Deprecated())
        continue;
      problems.error(ImportStatus::badFile, node,
                     "was withdrawn by ONNX as opset " + Twine(schema.since_version()) +
                         " defines it, and means something else from opset " + Twine(later) +
                         " on; export the model with that opset or a newer one");
      return;
    }
    problems.error(ImportStatus::badFile, node,
                   "was removed from ONNX by opset " + Twine(schema.since_version()) +
                       ", but the model uses opset " + Twine(version) + "; export it again");
  }

  static int firstVersion(const OpSchema *newest) {
    int first = newest->since_version();
    while (first > 1) {
      const OpSchema *older = OpSchemaRegistry::Schema(newest->Name(), first - 1, "");
      if (!older)
        break;
      first = older->since_version();
    }
    return first;
  }

  //===- Order --------------------------------------------------------------===//

  static bool isSorted(const GraphProto &graph, const Scope &scope) {
    StringSet<> later;
    for (const NodeProto &node : graph.node())
      for (const std::string &output : node.output())
        later.insert(output);
    for (const NodeProto &node : graph.node()) {
      bool early = false;
      forEachUse(node, [&](const std::string &name) {
        early |= !name.empty() && later.contains(name) && !scope.knows(name);
      });
      if (early)
        return false;
      for (const std::string &output : node.output())
        later.erase(output);
    }
    return true;
  }

  /// Names that a node reads, those that its subgraphs read from outside included.
  static void forEachUse(const NodeProto &node, function_ref<void(const std::string &)> visit) {
    for (const std::string &input : node.input())
      visit(input);
    auto inGraph = [&](const GraphProto &graph) {
      StringSet<> own;
      for (const ValueInfoProto &input : graph.input())
        own.insert(input.name());
      for (const TensorProto &tensor : graph.initializer())
        own.insert(tensor.name());
      for (const SparseTensorProto &tensor : graph.sparse_initializer())
        own.insert(tensor.values().name());
      for (const NodeProto &inner : graph.node())
        own.insert_range(inner.output());
      auto fromOutside = [&](const std::string &name) {
        if (!own.contains(name))
          visit(name);
      };
      for (const NodeProto &inner : graph.node())
        forEachUse(inner, fromOutside);
      for (const ValueInfoProto &output : graph.output())
        fromOutside(output.name());
    };
    for (const AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        inGraph(attribute.g());
      for (const GraphProto &inner : attribute.graphs())
        inGraph(inner);
    }
  }

  /// Kahn's algorithm, taking the first node in the file's order that is ready.
  /// What is left over lies on a cycle, or behind one; false then.
  bool sort(GraphProto &graph, const Scope &scope) {
    int count = graph.node_size();
    StringMap<int> producer;
    for (int i = 0; i < count; ++i)
      for (const std::string &output : graph.node(i).output())
        if (!output.empty() && !scope.knows(output))
          producer.try_emplace(output, i);
    std::vector<SmallVector<int, 2>> users(count);
    std::vector<int> missing(count, 0);
    for (int i = 0; i < count; ++i)
      forEachUse(graph.node(i), [&](const std::string &name) {
        auto at = producer.find(name);
        if (at == producer.end())
          return;
        users[at->second].push_back(i);
        ++missing[i];
      });
    std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
    for (int i = 0; i < count; ++i)
      if (missing[i] == 0)
        ready.push(i);
    std::vector<int> order;
    while (!ready.empty()) {
      int next = ready.top();
      ready.pop();
      order.push_back(next);
      for (int user : users[next])
        if (--missing[user] == 0)
          ready.push(user);
    }
    if (int(order.size()) != count) {
      removeUnused(users, missing);
      for (int i = 0; i < count; ++i)
        if (missing[i] != 0)
          problems.error(ImportStatus::badFile, graph.node(i),
                         "depends on its own result; a graph must not be cyclic");
      return false;
    }
    std::vector<int> place(count); // where the node that belongs at i is now
    std::vector<int> at(count);    // which node is at i now
    for (int i = 0; i < count; ++i)
      place[i] = at[i] = i;
    for (int i = 0; i < count; ++i) {
      int from = place[order[i]];
      graph.mutable_node()->SwapElements(i, from);
      std::swap(at[i], at[from]);
      place[at[i]] = i;
      place[at[from]] = from;
    }
    return true;
  }

  /// Takes out of the nodes that are left over (`missing` is not 0) those that no
  /// other of them uses: they lie behind a cycle, not on it.
  static void removeUnused(const std::vector<SmallVector<int, 2>> &users,
                           std::vector<int> &missing) {
    std::vector<int> used(users.size(), 0);
    std::vector<SmallVector<int, 2>> producers(users.size());
    for (int i = 0; i < int(users.size()); ++i)
      for (int user : users[i])
        if (missing[i] != 0 && missing[user] != 0) {
          ++used[i];
          producers[user].push_back(i);
        }
    std::vector<int> unused;
    for (int i = 0; i < int(users.size()); ++i)
      if (missing[i] != 0 && used[i] == 0)
        unused.push_back(i);
    while (!unused.empty()) {
      int last = unused.back();
      unused.pop_back();
      missing[last] = 0;
      for (int producer : producers[last])
        if (--used[producer] == 0)
          unused.push_back(producer);
    }
  }

  Problems &problems;
  int64_t unnamed = 0; // outputs that the file gives no name
  std::map<std::string, int> versions;
  StringSet<> functions;
};

} // namespace

bool checkModel(ModelProto &model, Problems &problems) {
  Checker(model, problems).check(*model.mutable_graph(), nullptr, problems.fileLocation());
  return !problems.any();
}

bool checkSupport(ModelProto &model, function_ref<bool(const NodeProto &)> known,
                  Problems &problems) {
  std::map<std::string, int> versions;
  for (const OperatorSetIdProto &opset : model.opset_import())
    versions[opset.domain()] = int(opset.version());
  forEachGraph(*model.mutable_graph(), [&](GraphProto &graph) {
    for (const NodeProto &node : graph.node()) {
      if (known(node) || isOptimizer(node))
        continue;
      int version = node.domain().empty() ? int(dialectOpset) : versions[node.domain()];
      const OpSchema *schema = OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
      if (!schema) // which checkModel has reported
        continue;
      if (schema->HasFunction() || schema->HasContextDependentFunction() || schema->Deprecated())
        continue;
      problems.error(ImportStatus::unsupported, node,
                     "is not supported; replace it by operators that are, or compute it outside "
                     "of the model");
    }
  });
  return !problems.any();
}

} // namespace burin::importer
