"""Coverage-guided fuzzing of every parser of inputs, by hand:

    pip install atheris
    python -m tests.fuzz.inputs CORPUS [-max_total_time=1800] [options of libFuzzer]

CORPUS is a folder; where it is empty it is filled with generated files first.  Whatever is not
a ``PackagerError``, or takes more than a minute (instrumented, and not alone) or 512 MiB
at once, is a crash: libFuzzer writes the input to ``crash-…``.  Once it is mended, a case in
the tests of the parser says what was wrong.
"""

import random
import sys
from pathlib import Path


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["packager"]):
        from packager.errors import PackagerError
        from tests.fuzz.playing import play
    from tests.fuzz.fields import damaged
    from tests.fuzz.sources import SOURCES

    def one_input(data: bytes) -> None:
        try:
            play(data, random.Random(len(data)))
        except PackagerError as error:
            assert str(error)

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        made = damaged(data, chance) if chance.random() < 0.8 else atheris.Mutate(data, most)
        return bytes(made[:most])

    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    if not any(corpus.iterdir()):
        for name, make in SOURCES.items():
            (corpus / name).write_bytes(make())
    limits = ["-timeout=60", "-rss_limit_mb=4096", "-malloc_limit_mb=512", "-max_len=60000"]
    atheris.Setup([*sys.argv, *limits], one_input, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
