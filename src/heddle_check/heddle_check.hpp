// heddle-check: explores the interleavings of code that uses these primitives; see docs/change/checking.md.
#pragma once

#include "heddle_check/atomic.hpp"
#include "heddle_check/campaign/portfolio.hpp"
#include "heddle_check/canary.hpp"
#include "heddle_check/cell.hpp"
#include "heddle_check/choices.hpp"
#include "heddle_check/clock.hpp"
#include "heddle_check/condition_variable.hpp"
#include "heddle_check/explorer.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/linearizability.hpp"
#include "heddle_check/minimise/minimise.hpp"
#include "heddle_check/mutex.hpp"
#include "heddle_check/noted.hpp"
#include "heddle_check/scenario.hpp"
#include "heddle_check/strategy.hpp"
#include "heddle_check/thread.hpp"
