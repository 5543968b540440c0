package text

import (
	"math"
	"slices"
)

// Accuracy is the share of got that equals want; NaN without any.
func Accuracy[T comparable](want, got []T) float64 {
	right := 0
	for i := range want {
		if want[i] == got[i] {
			right++
		}
	}
	return float64(right) / float64(len(want))
}

// MacroF1 is the mean over classes of the harmonic mean of precision and
// recall. A class counts if it appears in want or in got; one that is never
// right has 0.
func MacroF1[T comparable](want, got []T) float64 {
	type count struct{ both, want, got int }
	counts := map[T]*count{}
	at := func(c T) *count {
		if counts[c] == nil {
			counts[c] = new(count)
		}
		return counts[c]
	}
	for i := range want {
		at(want[i]).want++
		at(got[i]).got++
		if want[i] == got[i] {
			at(want[i]).both++
		}
	}
	// Summed as whole numbers over one denominator per class in sorted order,
	// so that the map's order does not reach the last digit.
	f := make([]float64, 0, len(counts))
	for _, c := range counts {
		f = append(f, 2*float64(c.both)/float64(c.want+c.got))
	}
	slices.Sort(f)
	sum := 0.0
	for _, x := range f {
		sum += x
	}
	return sum / float64(len(f))
}

// AUROC is the probability that a positive has a higher score than a negative,
// ties counting half (Mann & Whitney 1947). NaN unless there are both.
func AUROC(scores []float64, positive []bool) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case scores[a] < scores[b]:
			return -1
		case scores[a] > scores[b]:
			return 1
		}
		return 0
	})
	var n, ranks float64
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && scores[order[j]] == scores[order[i]] {
			j++
		}
		rank := float64(i+j+1) / 2 // mean of i+1 … j
		for ; i < j; i++ {
			if positive[order[i]] {
				n++
				ranks += rank
			}
		}
	}
	m := float64(len(order)) - n
	if n == 0 || m == 0 {
		return math.NaN()
	}
	return (ranks - n*(n+1)/2) / (n * m)
}

// CalibrationError is the expected calibration error: the mean distance
// between the probability given to the chosen class and the share that was
// right, over 10 bins of equal width, weighted by their size (Guo et al. 2017).
func CalibrationError(probability []float64, right []bool) float64 {
	var n, sum, hit [10]float64
	for i, p := range probability {
		b := min(int(p*10), 9)
		n[b]++
		sum[b] += p
		if right[i] {
			hit[b]++
		}
	}
	e := 0.0
	for b := range n {
		e += math.Abs(sum[b] - hit[b])
	}
	return e / float64(len(probability))
}

// Recall is the share of the relevant that is among the first k found.
func Recall[T comparable](found, relevant []T, k int) float64 {
	hit := 0
	for _, r := range relevant {
		if slices.Contains(found[:min(k, len(found))], r) {
			hit++
		}
	}
	return float64(hit) / float64(len(relevant))
}

// ReciprocalRank is 1 over the place of the first relevant one found, and 0 if
// there is none. Its mean over queries is the MRR.
func ReciprocalRank[T comparable](found, relevant []T) float64 {
	for i, f := range found {
		if slices.Contains(relevant, f) {
			return 1 / float64(i+1)
		}
	}
	return 0
}
