// HEDDLE_CHECK_UNSEEN: on a function whose accesses to memory ThreadSanitizer does not look at.
//
// For what the checker itself keeps, and orders in its own way: the values of its primitives, and what scenarios note.
// Nothing in builds without ThreadSanitizer.
#pragma once

#if defined(HEDDLE_CHECK_TSAN)
#define HEDDLE_CHECK_UNSEEN __attribute__((no_sanitize("thread"), noinline))
#else
#define HEDDLE_CHECK_UNSEEN
#endif
