/* SPDX-License-Identifier: Apache-2.0
 *
 * Text without stdio, which may allocate and reads the locale.
 */
#include "runtime.h"

void burin_vformat(char *to, size_t size, const char *format, va_list arguments) {
  size_t used = 0;
#define PUT(character)                                                                             \
  do {                                                                                             \
    if (used + 1 < size)                                                                           \
      to[used++] = (character);                                                                    \
  } while (0)
  for (const char *f = format; *f; ++f) {
    if (*f != '%') {
      PUT(*f);
    } else if (*++f == 's') {
      const char *text = va_arg(arguments, const char *);
      for (const char *c = text ? text : "?"; *c; ++c)
        PUT(*c);
    } else if (*f == 'd') {
      int64_t value = va_arg(arguments, int64_t);
      uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
      char digits[20];
      unsigned count = 0;
      do
        digits[count++] = (char)('0' + rest % 10);
      while (rest /= 10);
      if (value < 0)
        PUT('-');
      for (; count; --count) /* PUT does not read its argument where nothing fits */
        PUT(digits[count - 1]);
    } else if (*f == '%') {
      PUT('%');
    } else {
      break;
    }
  }
#undef PUT
  if (size)
    to[used] = 0;
}

void burin_format(char *to, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  burin_vformat(to, size, format, arguments);
  va_end(arguments);
}
