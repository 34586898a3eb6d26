// SPDX-License-Identifier: Apache-2.0
//
// verify: an artifact against a reference that `burin verify` has compiled of the same model, which
// computes node by node in f64. For burin, which prints it: one JSON object, and exit code 0
// whatever it says.

#include "Commands.h"
#include "Compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace burin::run {
namespace {

using Shape = std::vector<int64_t>;

/// A tensor of a finished run.
struct Value {
  const TypeInfo *type;
  Shape shape;
  const unsigned char *data;
};

/// An artifact, its inputs and what it has computed from them.
struct Evaluation {
  Evaluation(const std::string &path, uint32_t threads) : session(path, threads) {}

  /// Runs once, from `states` on.
  void run(const std::vector<Tensor> &inputs, const std::vector<Tensor> &states = {}) {
    outputs = session.makeOutputs();
    session.create();
    for (uint32_t i = 0; i < states.size(); ++i)
      session.putState(i, states[i]);
    Batch batch = session.makeBatch(inputs, outputs);
    session.run(batch);
    for (uint32_t i = 0; i < states.size(); ++i)
      next.push_back(session.takeState(i));
  }

  Value value(size_t index) const {
    const burin_tensor_info &info = session.outputs()[index];
    return {typeInfo(info.dtype), session.outputShape(index), outputs[index].data()};
  }
  std::string name(size_t index) const { return session.outputs()[index].name; }
  size_t count() const { return outputs.size(); }

  /// Outputs and the states that the run has left, by the names that the model gives them.
  std::vector<std::pair<std::string, Value>> results() const {
    std::vector<std::pair<std::string, Value>> list;
    for (size_t i = 0; i < count(); ++i)
      list.push_back({name(i), value(i)});
    for (size_t i = 0; i < next.size(); ++i)
      list.push_back({session.states()[i].output,
                      {typeInfo(next[i].dtype), next[i].shape, next[i].memory.data()}});
    return list;
  }

  Session session;
  std::vector<Memory> outputs;
  std::vector<Tensor> next; // states, after the run
};

std::vector<std::string> linesOf(const std::string &text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// What is given to an artifact in the types that its reference takes, which has states as inputs.
std::vector<Tensor> forReference(const Session &reference, const Session &artifact,
                                 const std::vector<Tensor> &inputs,
                                 const std::vector<Tensor> &states) {
  std::map<std::string, const Tensor *> given;
  for (size_t i = 0; i < inputs.size(); ++i)
    given[artifact.inputs()[i].name] = &inputs[i];
  for (size_t i = 0; i < states.size(); ++i)
    given[artifact.states()[i].tensor.name] = &states[i];
  std::vector<Tensor> list;
  for (const burin_tensor_info &input : reference.inputs()) {
    auto found = given.find(input.name);
    if (found == given.end() || given.size() != reference.inputs().size())
      throw Error{Internal, "the reference has other inputs than the artifact"};
    const Tensor &from = *found->second;
    Tensor made;
    made.shape = from.shape;
    made.dtype = input.dtype;
    if (made.dtype == from.dtype) {
      made.memory = Memory(from.memory.bytes());
      if (from.memory.bytes())
        memcpy(made.memory.data(), from.memory.data(), from.memory.bytes());
    } else {
      made.memory = widened(*typeInfo(from.dtype), from.memory.data(), elementCount(from.shape));
    }
    list.push_back(std::move(made));
  }
  return list;
}

Difference compareValues(const Value &actual, const Value &expected, const Flags &flags) {
  return difference(*actual.type, actual.data, *expected.type, expected.data,
                    elementCount(actual.shape), flags.tolerance);
}

std::string numberJson(double value) {
  return std::isfinite(value) ? format("%.6g", value) : "null";
}

std::string differenceJson(const Value &actual, const Difference &found) {
  Shape at(actual.shape.size());
  uint64_t index = found.worstIndex;
  for (size_t i = at.size(); i-- > 0 && actual.shape[i] > 0;) {
    at[i] = int64_t(index % uint64_t(actual.shape[i]));
    index /= uint64_t(actual.shape[i]);
  }
  return "\"type\": " + json(describe(actual.type->dtype, actual.shape)) +
         format(", \"elements\": %llu, \"mismatches\": %llu",
                (unsigned long long)elementCount(actual.shape),
                (unsigned long long)found.mismatches) +
         ", \"max_abs\": " + numberJson(found.maxAbs) + ", \"max_rel\": " +
         numberJson(found.maxRel) + ", \"max_ulp\": " + numberJson(found.maxUlp) +
         ", \"at\": " + jsonSizes(at) + ", \"actual\": " + json(found.actual) +
         ", \"expected\": " + json(found.expected);
}

//===- Outputs ----------------------------------------------------------------===//

std::string outputsJson(const Evaluation &artifact, const Evaluation &reference,
                        const Flags &flags) {
  std::vector<std::string> list;
  std::map<std::string, Value> byName;
  for (const auto &[name, value] : reference.results())
    byName.emplace(name, value);
  for (const auto &[name, actual] : artifact.results()) {
    auto found = byName.find(name);
    if (found == byName.end())
      throw Error{Internal, "the reference has other outputs than the artifact"};
    const Value &expected = found->second;
    std::string text = "{\"name\": " + json(name) + ", ";
    if (actual.shape != expected.shape)
      text += "\"agrees\": false, \"type\": " + json(describe(actual.type->dtype, actual.shape)) +
              ", \"expected_shape\": " + jsonSizes(expected.shape);
    else if (Difference least = compareValues(actual, expected, flags); true)
      text += format("\"agrees\": %s, ", least.mismatches ? "false" : "true") +
              differenceJson(actual, least);
    list.push_back(text + "}");
  }
  return jsonList(list, [](const std::string &text) { return text; });
}

//===- Kernels ----------------------------------------------------------------===//

Shape withoutUnits(Shape shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

/// `from` with its dims in another order.
Memory reordered(const Value &from, const Shape &shape, const std::vector<size_t> &order) {
  uint64_t bytes = from.type->bytes, count = elementCount(shape);
  std::vector<uint64_t> strides(shape.size(), 1), at(shape.size());
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * uint64_t(shape[i]);
  Memory memory(count * bytes);
  for (uint64_t i = 0, offset = 0; i < count; ++i) {
    memcpy(memory.data() + i * bytes, from.data + offset * bytes, bytes);
    for (size_t d = order.size(); d-- > 0;) {
      offset += strides[order[d]];
      if (++at[d] < uint64_t(shape[order[d]]))
        break;
      offset -= strides[order[d]] * uint64_t(shape[order[d]]);
      at[d] = 0;
    }
  }
  return memory;
}

/// A kernel may keep a node's result in another order of dims, or with dims joined: the least
/// difference that any order of `expected` gives. Nothing where they cannot be one value.
std::optional<Difference> leastDifference(const Value &actual, const Value &expected,
                                          const Flags &flags) {
  auto isFloat = [](const Value &value) { return value.type->kind == Kind::Float; };
  if (elementCount(actual.shape) != elementCount(expected.shape) ||
      isFloat(actual) != isFloat(expected) || actual.type->kind == Kind::Complex)
    return std::nullopt;
  Difference least = compareValues(actual, expected, flags);
  Shape have = withoutUnits(actual.shape), from = withoutUnits(expected.shape);
  if (!least.mismatches || have.size() != from.size() || have.size() > 6)
    return least;
  std::vector<size_t> order(from.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  while (least.mismatches && std::next_permutation(order.begin(), order.end())) {
    bool fits = true;
    for (size_t i = 0; i < order.size(); ++i)
      fits &= have[i] == from[order[i]];
    if (!fits)
      continue;
    Memory memory = reordered(expected, from, order);
    Difference found = compareValues(actual, {expected.type, actual.shape, memory.data()}, flags);
    if (found.mismatches < least.mismatches)
      least = found;
  }
  return least;
}

/// A result of a launch; keep-kernel-results names it.
struct Tap {
  size_t output;
  uint64_t launch;
  std::string kernel;
  std::vector<std::string> nodes;
};

/// The results of all launches, each against those of its nodes: "agrees", "differs", or "unknown"
/// where it is none of them. A node that a later launch still works on is not done.
std::string launchesJson(const Evaluation &artifact, const Evaluation &reference,
                         const Flags &flags) {
  std::multimap<std::string, size_t> byNode;
  for (size_t i = 0; i < reference.count(); ++i)
    if (std::vector<std::string> lines = linesOf(reference.name(i));
        lines.size() > 1 && lines[0] == "node")
      byNode.insert({reference.name(i).substr(strlen("node\n")), i});
  std::vector<Tap> taps;
  std::map<std::string, uint64_t> lastLaunch; // of a node
  for (size_t i = 0; i < artifact.count(); ++i) {
    std::vector<std::string> lines = linesOf(artifact.name(i));
    if (lines.size() < 2)
      continue;
    Tap tap{i, strtoull(lines[0].c_str(), nullptr, 10), lines[1], {lines.begin() + 2, lines.end()}};
    for (const std::string &node : tap.nodes)
      lastLaunch[node] = std::max(lastLaunch[node], tap.launch);
    taps.push_back(std::move(tap));
  }
  std::stable_sort(taps.begin(), taps.end(),
                   [](const Tap &a, const Tap &b) { return a.launch < b.launch; });
  auto tapJson = [&](const Tap &tap) {
    Value actual = artifact.value(tap.output);
    bool isDone = true;
    std::optional<Difference> least;
    std::string node;
    for (const std::string &name : tap.nodes) {
      isDone &= lastLaunch[name] == tap.launch;
      auto [begin, end] = byNode.equal_range(name);
      for (auto it = begin; it != end; ++it) {
        std::optional<Difference> found =
            leastDifference(actual, reference.value(it->second), flags);
        if (!found || (least && least->mismatches <= found->mismatches))
          continue;
        least = found;
        node = name;
      }
    }
    const char *state = !least               ? "unknown"
                        : !least->mismatches ? "agrees"
                        : isDone             ? "differs"
                                             : "unknown";
    std::string text = format("{\"launch\": %llu, \"kernel\": ", (unsigned long long)tap.launch) +
                       json(tap.kernel) + ", \"nodes\": " + jsonList(tap.nodes, json) +
                       ", \"state\": \"" + state + "\"";
    if (least)
      text += ", \"node\": " + json(node) + ", " + differenceJson(actual, *least);
    return text + "}";
  };
  return jsonList(taps, tapJson);
}

} // namespace

ExitCode verify(const Flags &flags) {
  if (flags.reference.empty())
    throw Error{BadInput, "verify is for `burin verify`, which gives a --reference"};
  Evaluation artifact(flags.model, flags.threads), reference(flags.reference, flags.threads);
  InputFlags given = flags.inputs;
  if (!given.random)
    given.random = 0;
  std::vector<Tensor> inputs = artifact.session.makeInputs(given);
  std::vector<Tensor> states = artifact.session.randomStates(*given.random);
  reference.run(forReference(reference.session, artifact.session, inputs, states));
  artifact.run(inputs, states);
  std::string found = flags.taps ? "{\"launches\": " + launchesJson(artifact, reference, flags)
                                 : "{\"outputs\": " + outputsJson(artifact, reference, flags);
  printf("%s}\n", found.c_str());
  return Ok;
}

} // namespace burin::run
