// Clang's thread-safety attributes under our own names; empty for other compilers.
#pragma once

#if defined(__clang__)
#define HEDDLE_ATTRIBUTE(x) __attribute__((x))
#else
#define HEDDLE_ATTRIBUTE(x)
#endif

#define HEDDLE_CAPABILITY(name) HEDDLE_ATTRIBUTE(capability(name))
#define HEDDLE_SCOPED_CAPABILITY HEDDLE_ATTRIBUTE(scoped_lockable)
#define HEDDLE_GUARDED_BY(mutex) HEDDLE_ATTRIBUTE(guarded_by(mutex))
#define HEDDLE_REQUIRES(...) HEDDLE_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define HEDDLE_EXCLUDES(...) HEDDLE_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define HEDDLE_ACQUIRE(...) HEDDLE_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define HEDDLE_RELEASE(...) HEDDLE_ATTRIBUTE(release_capability(__VA_ARGS__))
#define HEDDLE_TRY_ACQUIRE(...) HEDDLE_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define HEDDLE_NO_THREAD_SAFETY_ANALYSIS HEDDLE_ATTRIBUTE(no_thread_safety_analysis)
