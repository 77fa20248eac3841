"""Forty sentences for the sample, written for it: questions, lists, names, numbers, and every sound of English."""

from __future__ import annotations

import numpy as np

SENTENCE_TEXTS: tuple[str, ...] = (
    "Both puppies jumped over the muddy wall.",
    "Why would you wash a wool hat?",
    "She bought five fresh fish at the shop.",
    "My mother often hums by the warm fire.",
    "Go home, Tom, and open the blue box.",
    "We heard the choir sing a joyful tune.",
    "Peter packed a bag of purple plums.",
    "Is the zoo open on the first of May?",
    "A thin thread held the heavy feather.",
    "Judge Charles chose a cheap orange jacket.",
    "Few people view music as a pure science.",
    "The quick boat left the bay before noon.",
    "How now, said the brown cow to the owl.",
    "Please leave these green leaves by the street.",
    "Good cooks look at the book they took.",
    "Four more doors were forced at dawn.",
    "Papa bought a calm black horse.",
    "Never mix vinegar with seven eggs.",
    "You knew the moon would move soon.",
    "The boy enjoyed his noisy toys.",
    "Thirty third birds turned to the early worm.",
    "I might try the wide white slide tonight.",
    "They say the rain may stay all day.",
    "Oh no, the coat froze below the snow!",
    "Bob mopped up the pepper from the map.",
    "Measure the beige treasure with pleasure.",
    "That cat sat back and had a snack.",
    "When will the women sell the yellow wagon?",
    "Think of three things that both of us breathe.",
    "Shut the shed, he shouted, should it shower.",
    "Ask your aunt about the apple pie.",
    "King Kong ran along a long pink ring.",
    "Vivid violets cover every village in the valley.",
    "Could you maybe bring me a cup of hot cocoa?",
    "Eighty six sailors saw seven seals at sea.",
    "Beware of the bear who fears the chair.",
    "We owe you one hundred and two dollars.",
    "Let the little ladle lie on the low table.",
    "No one knows whose nose is in the news.",
    "Farewell, my friend, we may meet again in autumn.",
)

#: Further words for sentences that mean nothing: every sound of English at the beginning, in the middle and at the end.
_WORDS = """
    mama baby paper bumble bubble people maple number simple summer hammer common comma lemon mommy happy apple
    pepper cabin ribbon robber table able cable map lip lamp trip sleep help jump room farm game time home come
    swim broom rub web tube cab knob globe big bad book bell bird box best bright blue brown black boat pen pot
    pie park past plane price proud many more much moon mouse mud mirror meet milk make five fan phone fast flower
    feather fruit life leaf knife half rough laugh voice very violin seven river over ever love have move wave
    thing thumb thank path mouth bath this that there mother brother weather breathe with tea two ten take tall
    town day door deep dog dry dream sun sing sister soap silver yes house miss rice zoo zebra lazy easy buzz rose
    she shoe sheep fashion ocean wash fish vision garage chair cheese teacher match watch jam jet joy giant magic
    page cage key cat cold cup quick walk back go gold girl again bag hat hill hope hand who behind near new never
    nine run night singing along wrong long low light leave yellow valley ball hill road red rain right carry
    sorry forest water winter away wind was wool year young you onion eat each every open only own eye ice aunt
    under up upper oil out owl air ear hour art arm all autumn august apple ago about another umbrella the the the
    a a and and of to in is it on for as at by my your our his her they we was were had do does did not but from
    or so if when then how why where what which one two three four six eight twelve hundred thousand monday
    tuesday april october
""".split()  # noqa: SIM905  # a table of words


#: Beginnings, vowels and ends of syllables for words that no language has: sounds in neighbourhoods that words lack.
_ONSETS = """
    p b m p b m t d n k g f v th s z sh ch j h l r w y pl pr bl br sm sp st tr dr kr gl fl fr sk
""".split()  # noqa: SIM905  # a table
_NUCLEI = "a e i o u ee oo ai oa ow ar or er ay".split()  # noqa: SIM905  # a table
_CODAS = "p b m mp lp lm rm p b m t d n k g f v s z sh ch l r ng nt st x".split()  # noqa: SIM905  # a table


def random_text(rng: np.random.Generator) -> str:
    """Return a sentence that means nothing: four to eleven words, now and then a comma, every third a real one.

    Every sixth word is none of any language.
    """
    if rng.uniform() < 0.3:
        return SENTENCE_TEXTS[int(rng.integers(len(SENTENCE_TEXTS)))]
    words = [str(word) for word in rng.choice(_WORDS, int(rng.integers(4, 12)))]
    words = [_nonsense(rng) if rng.uniform() < 1 / 6 else word for word in words]
    for place in range(2, len(words) - 2):
        if rng.uniform() < 0.12:
            words[place] += ","
    return " ".join(words).capitalize() + str(rng.choice([".", ".", ".", "?", "!"]))


def _nonsense(rng: np.random.Generator) -> str:
    """Return a word of one to three syllables."""
    syllables = [str(rng.choice(_ONSETS)) + str(rng.choice(_NUCLEI)) for _ in range(int(rng.integers(1, 4)))]
    return "".join(syllables) + str(rng.choice(_CODAS))
