/* SPDX-License-Identifier: Apache-2.0
 *
 * The encoder's words as they are in their file, one a line; a word's line is its number. */
        .section .rodata
        .globl embed_vocabulary
        .globl embed_vocabulary_end
embed_vocabulary:
        .incbin VOCABULARY_FILE
embed_vocabulary_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits
