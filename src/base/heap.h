/* How malloc treats large blocks in this program. */
#ifndef CP_BASE_HEAP_H
#define CP_BASE_HEAP_H

/*
 * Sentences, pictures and segments are blocks of 100 KiB to a few MiB that come and go many times a second.
 * glibc would fetch each from the system and give it back; touching its new pages took half of the time in
 * which a sentence is made. With this, blocks under 4 MiB come from the heap, which keeps up to 16 MiB of
 * what is free at its end. Call once, first in main().
 */
void cp_heap_set_up(void);

#endif
