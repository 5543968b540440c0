package main

import (
	"attune/internal/engine/text"
	"attune/internal/lab"
)

type labTextCmd struct {
	Train    labTextTrainCmd    `cmd:"" help:"Train a classifier of Chinese or English texts."`
	Test     labTextTestCmd     `cmd:"" help:"Score a classifier on texts it has not seen."`
	Classify labTextClassifyCmd `cmd:"" help:"Classify texts, with the words that decided."`
	Search   labTextSearchCmd   `cmd:"" help:"Find passages by what they share with a query (BM25), and score that."`
}

// labTexts say which texts are read.
type labTexts struct {
	labFlags
	Data  string `required:"" help:"CSV, TSV (quotation marks are text) or JSONL, by its ending." placeholder:"FILE"`
	Text  string `required:"" help:"Column of the text." placeholder:"COLUMN"`
	Label string `required:"" help:"Column of its label." placeholder:"COLUMN"`
}

func (c *labTexts) options() lab.TextOptions {
	return lab.TextOptions{File: c.Data, Text: c.Text, Label: c.Label, SkipBad: c.SkipBad}
}

type labTextTrainCmd struct {
	labTexts
	Out      string  `required:"" help:"Write the classifier." placeholder:"FILE"`
	Gain     string  `help:"How n-grams are weighted: idf, or nb between two labels; chosen if not given." enum:"idf,nb," default:""`
	Simplify bool    `help:"Read traditional characters as simplified ones."`
	L2       float64 `name:"l2" help:"Penalty on large weights; chosen if not given." default:"0"`
	Epochs   int     `help:"Passes over the texts; chosen if not given." default:"0"`
	HeldOut  float64 `help:"Share of the texts that probabilities are calibrated on." default:"0.1"`
	MaxBytes int     `help:"Bound on the weights' size." default:"8000000"`
	Seed     uint64  `help:"Seed of what is held out and of the order of texts." default:"1"`
}

// Run trains.
func (c *labTextTrainCmd) Run() error {
	r, err := lab.TrainText(c.options(), text.Recipe{
		Simplify: c.Simplify, Gain: text.Gain(c.Gain), L2: c.L2, Epochs: c.Epochs, HeldOut: c.HeldOut, MaxSize: c.MaxBytes, Seed: c.Seed,
	}, usage)
	r, err = keep(r, err, c.Out, (*lab.TextModel).Write)
	return c.print(r, err)
}

type labTextTestCmd struct {
	Model string `arg:"" help:"Classifier that train wrote."`
	labTexts
	OOS string `name:"oos" help:"Label of texts that no label fits; they are to be told apart." placeholder:"LABEL"`
	Out string `help:"Write each prediction as CSV." placeholder:"FILE"`
}

// Run scores.
func (c *labTextTestCmd) Run() error {
	r, err := lab.TestText(c.Model, c.options(), c.OOS, usage)
	r, err = keep(r, err, c.Out, (*lab.TextScores).Write)
	return c.print(r, err)
}

type labTextClassifyCmd struct {
	labFlags
	Model   string `arg:"" help:"Classifier that train wrote."`
	Data    string `arg:"" optional:"" default:"-" help:"File of texts; standard input if not given."`
	Text    string `help:"Column of the text; without one each line is a text." placeholder:"COLUMN"`
	Reasons int    `help:"How many of the deciding words to give." default:"3"`
	Out     string `help:"Write each text with its label as CSV." placeholder:"FILE"`
}

// Run classifies.
func (c *labTextClassifyCmd) Run() error {
	r, err := lab.ClassifyText(c.Model, lab.TextOptions{File: c.Data, Text: c.Text, SkipBad: c.SkipBad}, c.Reasons)
	r, err = keep(r, err, c.Out, (*lab.Classified).Write)
	return c.print(r, err)
}

type labTextSearchCmd struct {
	labFlags
	Corpus  string `required:"" help:"JSONL of passages: {\"id\", \"text\"}." placeholder:"FILE"`
	Queries string `required:"" help:"JSONL of queries: {\"text\", \"relevant\": [id, …]}." placeholder:"FILE"`
	Top     int    `help:"How many passages to write for each query." default:"10"`
	Out     string `help:"Write what was found as CSV." placeholder:"FILE"`
}

// Run searches.
func (c *labTextSearchCmd) Run() error {
	r, err := lab.SearchText(c.Corpus, c.Queries, c.Top, c.SkipBad, usage)
	r, err = keep(r, err, c.Out, (*lab.TextSearch).Write)
	return c.print(r, err)
}
