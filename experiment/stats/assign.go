package stats

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"unicode/utf8"
)

// Whole is all of the traffic: buckets, weights and coverage are counted in basis
// points, so that a weight is exact.
const Whole = 10_000

// Bucket is the place of a unit among Whole buckets, 0 to 9,999. It depends on seed
// and unit alone, and two seeds place the same units independently.
//
//	FNV-1a-32(decimal(FNV-1a-32(seed + unit))) mod 10,000
//
// It is version 2 of GrowthBook's hash (docs.growthbook.io/lib/build-your-own), which
// is published for characters of JavaScript: a text that is not ASCII, which languages
// encode differently, is first made the SHA-256 of its UTF-8 bytes, in lower-case hex.
func Bucket(seed, unit string) int {
	first := fnv32a(ascii(seed) + ascii(unit))
	return int(fnv32a(strconv.FormatUint(uint64(first), 10)) % Whole)
}

func fnv32a(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text)) // a hash takes everything
	return h.Sum32()
}

// ascii is text itself, or what stands for one that is not ASCII.
func ascii(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			sum := sha256.Sum256([]byte(text))
			return hex.EncodeToString(sum[:])
		}
	}
	return text
}

// A Range is the buckets from From up to, and without, To.
type Range struct{ From, To int }

// Ranges are the buckets of each arm. Arm i owns as many as its weight; coverage says
// how much of its own, from the beginning, it takes. So raised coverage moves nobody
// from one arm to another, and each arm keeps its share up to a bucket.
//
// Coverage is clamped to 0 … Whole. Weights that do not sum to Whole, or of which one
// is negative, are taken for equal ones, as in GrowthBook's getBucketRanges.
func Ranges(weights []int, coverage int) []Range {
	coverage = min(max(0, coverage), Whole)
	if !splits(weights) {
		weights = BasisPoints(make([]float64, len(weights)))
	}
	ranges := make([]Range, len(weights))
	from := 0
	for i, weight := range weights {
		ranges[i] = Range{From: from, To: from + weight*coverage/Whole}
		from += weight
	}
	return ranges
}

// splits reports whether weights share out the whole.
func splits(weights []int) bool {
	rest := Whole
	for _, weight := range weights {
		if weight < 0 || weight > rest {
			return false
		}
		rest -= weight
	}
	return rest == 0
}

// Choose is the index of the range that has the bucket, or -1 where none has it.
func Choose(ranges []Range, bucket int) int {
	for i, r := range ranges {
		if r.From <= bucket && bucket < r.To {
			return i
		}
	}
	return -1
}
