/* SPDX-License-Identifier: Apache-2.0
 *
 * How many cores this process may use: its affinity mask, cut by the CPU quota of its
 * control groups (version 2: cpu.max; version 1: cpu.cfs_quota_us), because a container
 * with two cores' worth of quota on a large machine sees all cores.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime.h"

static uint32_t cores_by_affinity(void) {
  uint64_t mask[128]; /* 8192 CPUs, the most a kernel can be built for */
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  uint32_t cores = 0;
  for (long i = 0; i < bytes / 8; ++i)
    cores += (uint32_t)__builtin_popcountll(mask[i]);
  return cores ? cores : 1;
}

/* Reads a small file as text; false where there is none. */
static bool read_text(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  size_t used = 0;
  while (used < size - 1) {
    ssize_t got = read(file, text + used, size - 1 - used);
    if (got <= 0)
      break;
    used += (size_t)got;
  }
  close(file);
  text[used] = 0;
  return true;
}

/* Takes a decimal number off the front of `*text`; -1 where there is none ("max", "-1"). */
static int64_t take_number(const char **text) {
  while (**text == ' ')
    ++*text;
  if (**text < '0' || **text > '9')
    return -1;
  int64_t value = 0;
  for (; **text >= '0' && **text <= '9'; ++*text)
    if (value < INT64_MAX / 20)
      value = value * 10 + (**text - '0');
  return value;
}

/* The quota of one control group in cores, rounded up; UINT32_MAX where it has none. */
static uint32_t quota_of(const char *folder, bool version2) {
  char path[1152], text[64];
  int64_t quota, period;
  if (version2) {
    burin_format(path, sizeof path, "%s/cpu.max", folder);
    if (!read_text(path, text, sizeof text))
      return UINT32_MAX;
    const char *at = text;
    quota = take_number(&at);
    period = take_number(&at);
  } else {
    burin_format(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_text(path, text, sizeof text))
      return UINT32_MAX;
    const char *at = text;
    quota = take_number(&at);
    burin_format(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_text(path, text, sizeof text))
      return UINT32_MAX;
    at = text;
    period = take_number(&at);
  }
  if (quota <= 0 || period <= 0)
    return UINT32_MAX;
  int64_t cores = (quota - 1) / period + 1;
  return cores < UINT32_MAX ? (uint32_t)cores : UINT32_MAX;
}

/* The least quota from a group up to the root of its hierarchy. */
static uint32_t least_quota(const char *mount, const char *group, bool version2) {
  char folder[1024];
  burin_format(folder, sizeof folder, "%s%s", mount, group);
  size_t root = strlen(mount), length = strlen(folder);
  uint32_t least = UINT32_MAX;
  for (;;) {
    uint32_t quota = quota_of(folder, version2);
    least = quota < least ? quota : least;
    if (length <= root)
      return least;
    while (length > root && folder[--length] != '/')
      ;
    folder[length] = 0;
  }
}

/* Whether `name` is in the comma-separated list [list, end). */
static bool lists(const char *list, const char *end, const char *name) {
  size_t length = strlen(name);
  for (const char *at = list; at < end;) {
    const char *stop = at;
    while (stop < end && *stop != ',')
      ++stop;
    if ((size_t)(stop - at) == length && !memcmp(at, name, length))
      return true;
    at = stop + 1;
  }
  return false;
}

uint32_t burin_quota_cores(const char *root) {
  char text[4096], path[512];
  burin_format(path, sizeof path, "%s/proc/self/cgroup", root);
  if (!read_text(path, text, sizeof text))
    return UINT32_MAX;
  uint32_t least = UINT32_MAX;
  /* Lines "id:controllers:group"; version 2 has id 0 and no controllers. */
  for (char *line = text; *line;) {
    char *end = line;
    while (*end && *end != '\n')
      ++end;
    char *next = *end ? end + 1 : end;
    *end = 0;
    char *controllers = line;
    while (*controllers && *controllers++ != ':')
      ;
    char *group = controllers;
    while (*group && *group != ':')
      ++group;
    char *controllers_end = group;
    if (*group)
      ++group;
    uint32_t quota = UINT32_MAX;
    bool version2 = controllers == controllers_end;
    burin_format(path, sizeof path, "%s/sys/fs/cgroup%s", root, version2 ? "" : "/cpu");
    if (version2 || lists(controllers, controllers_end, "cpu"))
      quota = least_quota(path, group, version2);
    least = quota < least ? quota : least;
    line = next;
  }
  return least;
}

uint32_t burin_available_cores(void) {
  uint32_t cores = cores_by_affinity(), quota = burin_quota_cores("");
  return quota < cores ? quota : cores;
}
