// HEDDLE_CHECK_UNSEEN: on a function whose memory accesses ThreadSanitizer must ignore.
//
// For the checker's own data, which it orders in its own way: the values of its primitives, and notes of scenarios.
// Empty in builds without ThreadSanitizer.
#pragma once

#if defined(HEDDLE_CHECK_TSAN)
#define HEDDLE_CHECK_UNSEEN __attribute__((no_sanitize("thread"), noinline))
#else
#define HEDDLE_CHECK_UNSEEN
#endif
