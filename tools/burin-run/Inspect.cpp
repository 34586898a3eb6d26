// SPDX-License-Identifier: Apache-2.0
//
// inspect: what an artifact says about itself.

#include "Commands.h"

#include <cstring>

namespace burin::run {
namespace {

std::string infoJson(const burin_tensor_info &info) {
  const TypeInfo *type = typeInfo(info.dtype);
  std::vector<std::string> names;
  for (uint32_t i = 0; i < info.rank; ++i)
    names.push_back(info.dim_names ? info.dim_names[i] : "");
  return "{\"name\": " + json(info.name) + ", \"dtype\": " + json(type ? type->name : "string") +
         ", \"shape\": " + jsonSizes(shapeOf(info)) + ", \"dims\": " + jsonList(names, json) +
         format(", \"max_bytes\": %llu}", (unsigned long long)info.max_bytes);
}

std::string stateJson(const burin_state_info &state) {
  std::string text = infoJson(state.tensor);
  text.pop_back();
  text += ", \"output\": " + json(state.output) + format(", \"axis\": %d", state.axis);
  return text + (state.axis < 0 ? "" : format(", \"dim\": %u", state.dim)) + "}";
}

/// By burin_dim_kind.
struct {
  const char *name, *words;
} const kindWords[] = {{"free", ""},
                       {"length", ", how far a state is filled"},
                       {"computed", ", computed"},
                       {"data", ", decided by the data"}};

void print(const char *title, const std::vector<burin_tensor_info> &infos) {
  printf("%s\n", title);
  for (const burin_tensor_info &info : infos)
    printf("  %-24s %s\n", info.name, describe(info.dtype, shapeOf(info)).c_str());
}

/// Prints JSON as an outline: a member to a line, an object in a list as one line.
class Outline {
public:
  explicit Outline(const char *text) : at(text) {}

  void print() { value(0, false); }

private:
  char next() {
    while (*at == ' ' || *at == '\n')
      ++at;
    return *at;
  }

  /// Takes what lies between the brackets, `item` by item.
  template <typename Item> void list(char close, Item item) {
    for (++at; next() && *at != close;) {
      item();
      if (next() == ',')
        ++at;
    }
    at += *at == close;
  }

  std::string string() {
    std::string text;
    for (++at; *at && *at != '"'; ++at) {
      if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
        ++at;
      text += *at;
    }
    at += *at == '"';
    return text;
  }

  std::string scalar() {
    if (next() == '"')
      return string();
    std::string text;
    while (*at && !strchr(",]} \n", *at))
      text += *at++;
    return text;
  }

  void value(int depth, bool inOneLine) {
    if (next() == '{')
      object(depth, inOneLine);
    else if (*at == '[')
      list(']', [&] {
        printf("\n%*s", 2 * depth, "");
        value(depth, true);
      });
    else
      printf("%s", scalar().c_str());
  }

  void object(int depth, bool inOneLine) {
    const char *separator = "";
    list('}', [&] {
      std::string name = string();
      if (next() == ':')
        ++at;
      if (inOneLine)
        printf("%s%s ", separator, name.c_str());
      else
        printf("\n%*s%-*s", 2 * depth, "", strchr("{[", next()) ? 0 : 26, name.c_str());
      separator = ", ";
      value(depth + 1, inOneLine);
    });
  }

  const char *at;
};

} // namespace

ExitCode inspect(const Flags &flags) {
  Session session(flags.model, flags.threads, flags.weights);
  if (flags.verify)
    session.verifyWeights();
  const burin_memory &memory = session.memory();
  const char *certificate = session.model()->certificate(session.model());
  std::string text = certificate && *certificate ? certificate : "null";
  if (flags.json) {
    printf("{\"name\": %s, \"inputs\": %s, \"outputs\": %s, \"states\": %s, \"dims\": %s, \"memory\": "
           "{\"threads\": %u, \"arena_bytes\": %llu, \"state_bytes\": %llu, \"activation_bytes\": %llu, "
           "\"scratch_bytes\": %llu, \"weights_bytes\": %llu}, \"certificate\": %s}\n",
           json(session.model()->name).c_str(), jsonList(session.inputs(), infoJson).c_str(),
           jsonList(session.outputs(), infoJson).c_str(),
           jsonList(session.states(), stateJson).c_str(),
           jsonList(session.dims(),
                    [](const burin_dim_info &dim) {
                      return "{\"name\": " + json(dim.name) +
                             format(", \"min\": %lld, \"max\": %lld, \"kind\": \"%s\"}",
                                    (long long)dim.min, (long long)dim.max,
                                    kindWords[dim.kind].name);
                    })
               .c_str(),
           session.threads(), (unsigned long long)memory.bytes, (unsigned long long)memory.states,
           (unsigned long long)memory.activations, (unsigned long long)memory.scratch,
           (unsigned long long)memory.weights, text.c_str());
    return Ok;
  }
  printf("model %s\n", session.model()->name);
  print("inputs", session.inputs());
  print("outputs", session.outputs());
  if (!session.states().empty())
    printf("states\n");
  for (const burin_state_info &state : session.states())
    printf("  %-24s %s, given back as %s%s\n", state.tensor.name,
           describe(state.tensor.dtype, shapeOf(state.tensor)).c_str(), state.output,
           state.axis < 0 ? "" : format("; grows along dimension %d by '%s'", state.axis,
                                        session.dims()[state.dim].name).c_str());
  for (const burin_dim_info &dim : session.dims())
    printf("dim %s: %lld to %lld%s\n", dim.name, (long long)dim.min, (long long)dim.max,
           kindWords[dim.kind].words);
  printf("arena for %u thread%s: %llu bytes (", session.threads(), session.threads() == 1 ? "" : "s",
         (unsigned long long)memory.bytes);
  if (memory.states)
    printf("states %llu, ", (unsigned long long)memory.states);
  printf("activations %llu, scratch %llu)",
         (unsigned long long)memory.activations, (unsigned long long)memory.scratch);
  Outline(text.c_str()).print();
  printf("\n");
  return Ok;
}

} // namespace burin::run
