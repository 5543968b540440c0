package text

import (
	"math"
	"testing"
)

func TestMetrics(t *testing.T) {
	want, got := []string{"a", "a", "b", "b", "c"}, []string{"a", "b", "b", "b", "a"}
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"accuracy", Accuracy(want, got), 0.6},
		{"macro F1: (1/2 + 4/5 + 0)/3", MacroF1(want, got), 1.3 / 3},
		{"AUROC: 5 of 6 pairs in order, one tied", AUROC([]float64{0.1, 0.4, 0.4, 0.8, 0.9}, []bool{false, false, true, false, true}), (1 + 0.5 + 0 + 1 + 1 + 1) / 6},
		{"AUROC of one class", AUROC([]float64{1, 2}, []bool{true, true}), math.NaN()},
		{"calibration error: bins .9 (1 of 2) and .3 (0 of 1)", CalibrationError([]float64{0.95, 0.95, 0.35}, []bool{true, false, false}), (0.9 + 0.35) / 3},
		{"recall at 2", Recall([]int{4, 2, 7}, []int{2, 7}, 2), 0.5},
		{"reciprocal rank", ReciprocalRank([]int{4, 2, 7}, []int{7, 2}), 0.5},
		{"reciprocal rank of what was not found", ReciprocalRank([]int{4}, []int{7}), 0},
	} {
		if math.Abs(tt.got-tt.want) > 1e-12 || math.IsNaN(tt.got) != math.IsNaN(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		in       string
		simplify bool
		want     string
	}{
		{"  ＡＢＣ　１２３  x\u200by\t\n", false, "abc 123 xy"},
		{"ﾃｽﾄ！ÉTÉ", false, "テスト!été"},
		{"這間酒店環境還不錯", true, "这间酒店环境还不错"},
		{"這間酒店", false, "這間酒店"},
	} {
		if got := Fold(tt.in, tt.simplify); got != tt.want {
			t.Errorf("Fold(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
