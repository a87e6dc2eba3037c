"""Which letter of a text is spoken by which phone: a many-to-many alignment, learned from the texts themselves.

A letter is spoken by no, one or two phones (three in shortened words such as Mr.); Viterbi training over the distinct tokens, from
a start that only prefers the diagonal, takes a few seconds and needs nothing else.
"""
import math, re

# CMU phones; flite's "ax" is their "ah". The silent class stands for letters without a phone, spaces, signs and pauses.
PHONES = "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh".split()
SILENT = len(PHONES)
CLASS = {p: i for i, p in enumerate(PHONES)} | {"ax": PHONES.index("ah"), "pau": SILENT, "ssil": SILENT}


class Aligner:
    def __init__(self):
        self.count, self.total, self.cache = {}, {}, {}

    def cost(self, letter, phones):
        n = self.count.get((letter, phones), 0)
        return -math.log((n + 0.02) / (self.total.get(letter, 0) + 2.0)) + (3.0 if len(phones) == 3 else 0.0)

    def viterbi(self, letters, phones):
        n, m = len(letters), len(phones)
        best = [[math.inf] * (m + 1) for _ in range(n + 1)]; back = [[0] * (m + 1) for _ in range(n + 1)]; best[0][0] = 0.0
        for i in range(n):
            for j in range(m + 1):
                if best[i][j] == math.inf: continue
                for k in range(0, min(3, m - j) + 1):
                    c = best[i][j] + self.cost(letters[i], phones[j:j + k]) + 0.1 * abs((j + k / 2) / m - (i + 0.5) / n) * n
                    if c < best[i + 1][j + k]: best[i + 1][j + k] = c; back[i + 1][j + k] = k
        if best[n][m] == math.inf: return None
        out, j = [0] * n, m
        for i in range(n, 0, -1): out[i - 1] = back[i][j]; j -= out[i - 1]
        return out

    def align(self, token, phones):
        """-> number of phones of each letter of the token (signs have none), or None when it cannot be"""
        key = (token.lower(), tuple(phones))
        if key not in self.cache:
            at = [i for i, c in enumerate(key[0]) if c.isalpha()]
            n = self.viterbi([key[0][i] for i in at], key[1]) if at and phones else None
            if n is not None:
                full = [0] * len(token)
                for i, k in zip(at, n): full[i] = k
                n = full
            self.cache[key] = n
        return self.cache[key]

    def fit(self, pairs, rounds=4):
        """pairs of (token, phones)"""
        for _ in range(rounds):
            self.cache = {}
            count, total = {}, {}
            for token, phones in pairs:
                n = self.align(token, phones)
                if n is None: continue
                j = 0
                for c, k in zip(token.lower(), n):
                    if c.isalpha():
                        key = (c, tuple(phones[j:j + k])); count[key] = count.get(key, 0) + 1; total[c] = total.get(c, 0) + 1; j += k
            self.count, self.total = count, total
        self.cache = {}
