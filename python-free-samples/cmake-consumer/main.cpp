// SPDX-License-Identifier: Apache-2.0
//
// consumer X Y [X Y]...: how far each point is from the origin, all in one run.

#include "distance.h"

#include <burin/burin.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int count, char **arguments) {
  std::vector<float> points;
  for (int i = 1; i < count; ++i)
    points.push_back(std::strtof(arguments[i], nullptr));
  int64_t n = int64_t(points.size() / 2);
  if (points.size() % 2 || n < DISTANCE_N_MIN || n > DISTANCE_N_MAX) {
    std::fprintf(stderr, "usage: %s X Y [X Y]...\n", arguments[0]);
    return 2;
  }
  burin::Result<burin::Context> context = burin::Context::create(burin::Model(burin_model_distance()));
  if (!context) {
    std::fprintf(stderr, "%s\n", context.status().message());
    return 1;
  }
  std::vector<float> norms(static_cast<size_t>(n));
  burin::Status status =
      context->run({burin::Tensor(points, {n, 2})}, {burin::Tensor(norms)});
  if (!status) {
    std::fprintf(stderr, "%s\n", status.message());
    return 1;
  }
  for (float norm : norms)
    std::printf("%g\n", double(norm));
  return 0;
}
