package irt_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"attune/internal/engine/irt"
)

// From answers to a calibrated bank, from the bank to an adaptive test, and from
// two tests to what a training gave.
func Example() {
	rng := rand.New(rand.NewPCG(1, 1))
	truth := make([]irt.Item, 60)
	for k := range truth {
		truth[k] = irt.Item{A: math.Exp(0.3 * rng.NormFloat64()), B: rng.NormFloat64()}
	}
	respond := func(items []irt.Item, theta float64) (answers []irt.Answer) {
		for _, it := range items {
			answers = append(answers, irt.Answer{Item: it, Correct: rng.Float64() < it.P(theta)})
		}
		return answers
	}

	// Calibrate: a row per person, a column per item.
	responses := make([][]int8, 2000)
	for i := range responses {
		responses[i] = make([]int8, len(truth))
		for k, a := range respond(truth, rng.NormFloat64()) {
			if a.Correct {
				responses[i][k] = 1
			}
		}
	}
	c, err := irt.Fit(responses, irt.Options{Model: irt.TwoPL})
	if err != nil {
		fmt.Println(err)
		return
	}
	bank := make([]irt.Item, len(c.Items))
	for k, f := range c.Items {
		bank[k] = f.Item
	}

	// Test one person adaptively.
	used, answers, able := make([]bool, len(bank)), []irt.Answer(nil), irt.Ability{SE: 1}
	for able.SE > 0.4 {
		k := irt.Next(bank, used, able.Theta, rng, irt.NextOptions{Best: 5})
		used[k] = true
		answers = append(answers, irt.Answer{Item: bank[k], Correct: rng.Float64() < truth[k].P(1.2)})
		able = irt.Estimate(answers, irt.Normal{Mean: 0, SD: 1})
	}
	s, se := irt.Proficiency(answers, bank, irt.Normal{Mean: 0, SD: 1})
	fmt.Printf("S = %.0f ± %.0f of 100 after %d items\n", s, se, len(answers))

	// Half are trained; what did they gain that those who wait did not?
	pairs, weights := make([]irt.Pair, 600), make([]float64, 600)
	for i := range pairs {
		trained := float64(i % 2)
		before := rng.NormFloat64()
		after := before + 0.3*rng.NormFloat64() + 0.6*trained
		pairs[i] = irt.Pair{Before: respond(bank[:10], before), After: respond(bank[10:20], after), X: []float64{1, trained}}
		weights[i] = (2*trained - 1) / 300
	}
	g, err := irt.JointGain(pairs, bank, irt.FitOptions{Names: []string{"intercept", "trained"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	effect, influence := g.ThetaFunctional(weights)
	v := 0.0
	for _, f := range influence { // each person a cluster of one
		v += f * f
	}
	fmt.Printf("effect of the training: %.2f ± %.2f logits\n", effect, math.Sqrt(v))

	// Output:
	// S = 68 ± 7 of 100 after 16 items
	// effect of the training: 0.71 ± 0.09 logits
}
