// Internal to heddle: may change at any time.
//
// The inline namespace of all code that is compiled twice, and the mark of what a shared library exports.
//
// `sync` to `runtime` are compiled twice from the same files: for shipping, and against controlled primitives (the
// checked build). Each build has its own inline namespace, so mixing their objects fails to link.
#pragma once

#ifndef HEDDLE_CHECKED
#define HEDDLE_CHECKED 0
#endif

#if HEDDLE_CHECKED
#define HEDDLE_NS heddle::inline checked
#else
#define HEDDLE_NS heddle::inline shipped
#endif

// The library is compiled with hidden symbols; this makes one of the public interface.
#define HEDDLE_API [[gnu::visibility("default")]]
