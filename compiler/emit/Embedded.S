/* SPDX-License-Identifier: Apache-2.0 */
        .macro embed name, file
        .globl  burin_embedded_\name\()_begin, burin_embedded_\name\()_end
        .balign 16
burin_embedded_\name\()_begin:
        .incbin "\file"
burin_embedded_\name\()_end:
        .endm

        .section .rodata
        embed   runtime_x86_64, BURIN_RUNTIME_X86_64
        embed   libc_x86_64, BURIN_LIBC_X86_64
        embed   runtime_aarch64, BURIN_RUNTIME_AARCH64
        embed   libc_aarch64, BURIN_LIBC_AARCH64
        .section .note.GNU-stack,"",@progbits
