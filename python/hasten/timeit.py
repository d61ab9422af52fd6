# SPDX-License-Identifier: MIT
# The documentation string is the standard module's: its help prints it.

import gc  # noqa: F401 (the standard module's code finds these here)
import itertools  # noqa: F401
import sys
import time  # noqa: F401
from types import FunctionType

from hasten._standard import here, original

_standard = original("timeit")

__doc__ = _standard.__doc__
__all__ = ["Timer", "default_timer", "repeat", "timeit"]

# What programs replace to time in another way: the code below looks it up here.
dummy_src_name = _standard.dummy_src_name
default_number = _standard.default_number
default_repeat = _standard.default_repeat
default_target_time = 0.2
default_timer = _standard.default_timer
template = _standard.template
_globals = globals
reindent = here(_standard.reindent, globals())


class Timer(_standard.Timer):
    __doc__ = _standard.Timer.__doc__

    for _name, _value in vars(_standard.Timer).items():
        if isinstance(_value, FunctionType):
            locals()[_name] = here(_value, globals())
    del _name, _value

    if sys.version_info < (3, 15):
        # As it is from 3.15 on.
        def autorange(self, callback=None, target_time=default_target_time):
            """Return the number of loops and time taken so that
            total time >= target_time (default is 0.2 seconds).

            Calls the timeit method with increasing numbers from the sequence
            1, 2, 5, 10, 20, 50, ... until the target time is reached.
            Returns (number, time_taken).

            If *callback* is given and is not None, it will be called after
            each trial with two arguments: ``callback(number, time_taken)``.
            """
            scale = 1
            while True:
                for digit in (1, 2, 5):
                    number = scale * digit
                    time_taken = self.timeit(number)
                    if callback:
                        callback(number, time_taken)
                    if time_taken >= target_time:
                        return number, time_taken
                scale *= 10


timeit = here(_standard.timeit, globals())
repeat = here(_standard.repeat, globals())

if sys.version_info >= (3, 15):
    main = here(_standard.main, globals())
else:
    # -t was an option without a value, and without an effect, up to 3.12.
    _TAKES_TARGET = "t" if sys.version_info >= (3, 13) else ""

    def _take_target(args):
        """Splits the arguments: those without -t and --target-time, and its text."""
        kept, target = [], None
        args = list(args)
        while args and args[0].startswith("-") and args[0] not in ("-", "--"):
            word = args.pop(0)
            if word.startswith("--"):
                name, equals, value = word.partition("=")
                if name == "--target-time":
                    target = value if equals else (args.pop(0) if args else None)
                    continue
                kept.append(word)
                if not equals and name[2:] in ("number", "setup", "repeat", "unit") and args:
                    kept.append(args.pop(0))
                continue
            for place, letter in enumerate(word[1:], 1):
                if letter in "nusr":
                    if not word[place + 1 :] and args:
                        kept += [word, args.pop(0)]
                    else:
                        kept.append(word)
                    break
                if letter in _TAKES_TARGET:
                    if place > 1:
                        kept.append(word[:place])
                    target = word[place + 1 :] or (args.pop(0) if args else None)
                    break
            else:
                kept.append(word)
        return kept + args, target

    def main(args=None, *, _wrap_timer=None):
        names = globals()
        kept, target = _take_target(sys.argv[1:] if args is None else args)
        if target is not None:
            seconds = float(target)

            class Targeting(Timer):
                def autorange(self, callback=None):
                    return super().autorange(callback, seconds)

            names = names | {"Timer": Targeting}
        return here(_standard.main, names)(kept, _wrap_timer=_wrap_timer)

    main.__doc__ = _standard.main.__doc__


if __name__ == "__main__":
    sys.exit(main())
