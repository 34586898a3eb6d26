/* SPDX-License-Identifier: Apache-2.0
 *
 * CPU quotas, on a folder that looks like a machine's /proc and /sys.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "Fixture.h"
#include "runtime/src/runtime.h"

static char root[] = "/tmp/burin-cores-XXXXXX";

/* Writes `text` to a file below the root, folders included. */
static void put(const char *path, const char *text) {
  char full[512];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(full, 0777);
    *slash = '/';
  }
  FILE *file = fopen(full, "w");
  CHECK(file && fputs(text, file) >= 0);
  fclose(file);
}

static const uint32_t none = UINT32_MAX;

int main(void) {
  CHECK(mkdtemp(root));
  CHECK(burin_quota_cores(root) == none); /* no /proc */

  put("/proc/self/cgroup", "0::/a/b\n");
  CHECK(burin_quota_cores(root) == none);
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(burin_quota_cores(root) == none);
  put("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
  CHECK(burin_quota_cores(root) == 3);
  put("/sys/fs/cgroup/a/cpu.max", "200000 100000\n"); /* the parent's is less */
  CHECK(burin_quota_cores(root) == 2);
  put("/sys/fs/cgroup/cpu.max", "1000 100000\n"); /* a container sees its own at the root */
  CHECK(burin_quota_cores(root) == 1);
  put("/sys/fs/cgroup/cpu.max", "nonsense");
  CHECK(burin_quota_cores(root) == 2);
  put("/sys/fs/cgroup/a/cpu.max", "99999999999999999999999 1");
  CHECK(burin_quota_cores(root) == 3);

  put("/proc/self/cgroup", "7:memory:/m\n4:cpuset,cpu:/j\n");
  CHECK(burin_quota_cores(root) == none);
  put("/sys/fs/cgroup/cpu/j/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu/j/cpu.cfs_period_us", "100000\n");
  CHECK(burin_quota_cores(root) == none);
  put("/sys/fs/cgroup/cpu/j/cpu.cfs_quota_us", "400001\n");
  CHECK(burin_quota_cores(root) == 5);
  put("/proc/self/cgroup", "4:cpuset,cpu\n:::\nx");
  CHECK(burin_quota_cores(root) == none);

  CHECK(burin_available_cores() >= 1);
  char remove[128];
  snprintf(remove, sizeof remove, "rm -rf %s", root);
  return system(remove);
}
