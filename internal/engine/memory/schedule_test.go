package memory

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// reference is testdata/tsfsrs.json: sequences scheduled by npm ts-fsrs 5.4.2.
type reference struct {
	Sequences []struct {
		Options struct {
			W               []float64
			Retention       float64  `json:"request_retention"`
			MaxInterval     int      `json:"maximum_interval"`
			LearningSteps   []string `json:"learning_steps"`
			RelearningSteps []string `json:"relearning_steps"`
			ShortTerm       *bool    `json:"enable_short_term"`
		}
		Reviews [][9]float64
	}
}

func steps(t *testing.T, text []string) []time.Duration {
	t.Helper()
	var all []time.Duration
	for _, s := range text {
		if n, ok := strings.CutSuffix(s, "d"); ok {
			d, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Duration(d)*24*time.Hour)
			continue
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// Every due date, state, step and lapse must be those of ts-fsrs; stability and
// difficulty agree to one part in 10 million (ts-fsrs rounds to 8 decimals
// itself). ATTUNE_TSFSRS may name a longer file of the same form.
func TestSchedulesAsTSFSRS(t *testing.T) {
	file := "testdata/tsfsrs.json"
	if f := os.Getenv("ATTUNE_TSFSRS"); f != "" {
		file = f
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(text, &ref); err != nil {
		t.Fatal(err)
	}
	reviews := 0
	for k, seq := range ref.Sequences {
		o := DefaultOptions()
		if len(seq.Options.W) > 0 {
			o.Weights = Weights(seq.Options.W)
		}
		o.Retention, o.MaxInterval = seq.Options.Retention, seq.Options.MaxInterval
		if seq.Options.LearningSteps != nil {
			o.LearningSteps, o.RelearningSteps = steps(t, seq.Options.LearningSteps), steps(t, seq.Options.RelearningSteps)
		}
		o.LongTermOnly = seq.Options.ShortTerm != nil && !*seq.Options.ShortTerm
		s, err := NewScheduler(o)
		if err != nil {
			t.Fatal(err)
		}
		c := NewCard(time.UnixMilli(int64(seq.Reviews[0][0])))
		for j, r := range seq.Reviews {
			if c, err = s.Next(c, time.UnixMilli(int64(r[0])), Rating(r[1])); err != nil {
				t.Fatalf("sequence %d review %d: %v", k, j, err)
			}
			reviews++
			if c.Due.UnixMilli() != int64(r[2]) || c.State != State(r[3]) || c.Interval != int(r[6]) || c.Step != int(r[7]) || c.Lapses != int(r[8]) {
				t.Fatalf("sequence %d review %d: %+v, want %v", k, j, c, r)
			}
			if math.Abs(c.Stability/r[4]-1) > 1e-7 && math.Abs(c.Stability-r[4]) > 2e-8 || math.Abs(c.Difficulty-r[5]) > 1e-7 {
				t.Fatalf("sequence %d review %d: stability %.9f, difficulty %.9f, want %.9f, %.9f", k, j, c.Stability, c.Difficulty, r[4], r[5])
			}
		}
	}
	if reviews < 1000 {
		t.Errorf("%d reviews compared, want 1000 or more", reviews)
	}
}

// Recall and Interval are inverse; the values at the default decay are those of
// ts-fsrs's forgetting_curve and next_interval (10 days of stability).
func TestRecall(t *testing.T) {
	for _, tt := range []struct{ t, s, want float64 }{
		{0, 10, 1},
		{10, 10, 0.9},
		{1, 1, 0.9},
		{2, 1, 0.84588465}, // fsrs-rs, test_power_forgetting_curve
		{3, 1, 0.80938810},
	} {
		if got := Default.Recall(tt.t, tt.s); math.Abs(got-tt.want) > 5e-9 {
			t.Errorf("Recall(%v, %v) = %.9f, want %.8f", tt.t, tt.s, got, tt.want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		r, s := 0.5+0.49*rng.Float64(), math.Exp(rng.NormFloat64()*3)
		if got := Default.Recall(Default.Interval(r, s), s); math.Abs(got-r) > 1e-12 {
			t.Errorf("recall after the interval for %v = %v", r, got)
		}
	}
}

func TestSchedulerRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Options)
		want   error
	}{
		"retention above 1": {func(o *Options) { o.Retention = 1.1 }, ErrRetention},
		"retention below 0": {func(o *Options) { o.Retention = -0.1 }, ErrRetention},
		"half a minute":     {func(o *Options) { o.LearningSteps[0] = 30 * time.Second }, ErrStep},
	} {
		o := DefaultOptions()
		tt.change(&o)
		if _, err := NewScheduler(o); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	s, err := NewScheduler(DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	c, err := s.Next(NewCard(now), now, Easy)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(c, now.AddDate(0, 0, -1), Good); !errors.Is(err, ErrBackwards) {
		t.Errorf("a review before the last: %v", err)
	}
	if _, err := s.Next(c, now, 5); !errors.Is(err, ErrRating) {
		t.Errorf("a rating of 5: %v", err)
	}
}

func BenchmarkNext(b *testing.B) {
	s, err := NewScheduler(DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	c := NewCard(now)
	for b.Loop() {
		if c, err = s.Next(c, c.Due, Good); err != nil || c.Interval > 3000 {
			c = NewCard(now)
		}
	}
}
