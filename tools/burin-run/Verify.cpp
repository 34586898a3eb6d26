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

  void run(const std::vector<Tensor> &inputs) {
    outputs = session.makeOutputs();
    session.create();
    session.run(session.makeBatch(inputs, outputs));
  }

  Value value(size_t index) const {
    const burin_tensor_info &info = session.outputs()[index];
    return {typeInfo(info.dtype), session.outputShape(index), outputs[index].data()};
  }
  std::string name(size_t index) const { return session.outputs()[index].name; }
  size_t count() const { return outputs.size(); }

  Session session;
  std::vector<Memory> outputs;
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

/// The same inputs in the types that the reference takes.
std::vector<Tensor> forReference(const Session &reference, const std::vector<Tensor> &inputs) {
  std::vector<Tensor> list;
  if (reference.inputs().size() != inputs.size())
    throw Error{Internal, "the reference has other inputs than the artifact"};
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor &from = inputs[i];
    Tensor made;
    made.shape = from.shape;
    made.dtype = reference.inputs()[i].dtype;
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
  for (size_t i = 0; i < artifact.count(); ++i) {
    Value actual = artifact.value(i), expected = reference.value(i);
    std::string text = "{\"name\": " + json(artifact.name(i)) + ", ";
    if (actual.shape != expected.shape)
      text += "\"agrees\": false, \"type\": " + json(describe(actual.type->dtype, actual.shape)) +
              ", \"expected_shape\": " + jsonSizes(expected.shape);
    else if (Difference found = compareValues(actual, expected, flags); true)
      text += format("\"agrees\": %s, ", found.mismatches ? "false" : "true") +
              differenceJson(actual, found);
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
  reference.run(forReference(reference.session, inputs));
  artifact.run(inputs);
  std::string found = flags.taps ? "{\"launches\": " + launchesJson(artifact, reference, flags)
                                 : "{\"outputs\": " + outputsJson(artifact, reference, flags);
  printf("%s}\n", found.c_str());
  return Ok;
}

} // namespace burin::run
