// SPDX-License-Identifier: Apache-2.0
//
// inspect: what an artifact says about itself.

#include "Commands.h"

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

void print(const char *title, const std::vector<burin_tensor_info> &infos) {
  printf("%s\n", title);
  for (const burin_tensor_info &info : infos)
    printf("  %-24s %s\n", info.name, describe(info.dtype, shapeOf(info)).c_str());
}

} // namespace

ExitCode inspect(const Flags &flags) {
  Session session(flags.model, flags.threads);
  const burin_memory &memory = session.memory();
  const char *certificate = session.model()->certificate(session.model());
  std::string text = certificate && *certificate ? certificate : "null";
  if (flags.json) {
    printf("{\"name\": %s, \"inputs\": %s, \"outputs\": %s, \"dims\": %s, \"memory\": "
           "{\"threads\": %u, \"arena_bytes\": %llu, \"activation_bytes\": %llu, "
           "\"scratch_bytes\": %llu, \"weights_bytes\": %llu}, \"certificate\": %s}\n",
           json(session.model()->name).c_str(), jsonList(session.inputs(), infoJson).c_str(),
           jsonList(session.outputs(), infoJson).c_str(),
           jsonList(session.dims(),
                    [](const burin_dim_info &dim) {
                      return "{\"name\": " + json(dim.name) +
                             format(", \"min\": %lld, \"max\": %lld}", (long long)dim.min,
                                    (long long)dim.max);
                    })
               .c_str(),
           session.threads(), (unsigned long long)memory.bytes,
           (unsigned long long)memory.activations, (unsigned long long)memory.scratch,
           (unsigned long long)memory.weights, text.c_str());
    return Ok;
  }
  printf("model %s\n", session.model()->name);
  print("inputs", session.inputs());
  print("outputs", session.outputs());
  for (const burin_dim_info &dim : session.dims())
    printf("dim %s: %lld to %lld\n", dim.name, (long long)dim.min, (long long)dim.max);
  printf("memory, %u thread%s\n", session.threads(), session.threads() == 1 ? "" : "s");
  printf("  arena       %12llu bytes (activations %llu, scratch %llu)\n",
         (unsigned long long)memory.bytes, (unsigned long long)memory.activations,
         (unsigned long long)memory.scratch);
  printf("  weights     %12llu bytes\n", (unsigned long long)memory.weights);
  printf("certificate\n%s\n", text.c_str());
  return Ok;
}

} // namespace burin::run
