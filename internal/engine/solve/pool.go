package solve

// PoolOptions say how far from its price a seat's value may lie for the seat
// to be drawn by lot. Either the band is given, or it is the narrowest from
// which Detect can be seen.
type PoolOptions struct {
	Band      float64 // E; 0: sized from Detect
	Detect    float64 // difference of means one wants to see, in standard deviations of the outcome; 0.3 if neither is given
	Power     float64 // chance of seeing it; 0.8 if 0
	Level     float64 // two-sided error of the first kind; 0.05 if 0
	Explained float64 // share in [0,1) of the outcome's variance that the baseline explains (R²)
	Exchange  bool    // let a winner make room by giving up, and whoever waits fill the time with, offerings at one's own pace that have no limit of seats
	Offerings []int32 // draw for these only; empty: wherever seats are scarce
}

// Pool is the people among whom the seats of one offering are drawn. Whoever
// wins or loses, the plan stays feasible, nothing else in it changes but what
// the members' own lots say, and nobody is in two pools.
type Pool struct {
	Offering    int32   `json:"offering"`
	Band        float64 `json:"band"`         // E: |value − price| of every member is at most this
	Members     []Lot   `json:"members"`      // by session, stratum, person
	Cost        float64 `json:"cost"`         // E: objective of the plan less its expectation after the draw
	CostAtMost  float64 `json:"cost_at_most"` // E: the same if the lot falls as badly as it can
	Detectable  float64 `json:"detectable"`   // smallest difference, in standard deviations of the outcome, seen with the power asked for
	Comparisons float64 `json:"comparisons"`  // Σ p(1−p) over members: what Detectable rests on
}

// Lot is one person's stake in a draw.
type Lot struct {
	Person      int32   `json:"person"`
	Session     int32   `json:"session"`
	Stratum     int32   `json:"stratum"`     // label from People.Stratum
	Holds       bool    `json:"holds"`       // has the seat in the plan that is drawn over
	Value       float64 `json:"value"`       // E that the seat adds for the person, less the other prices it pays
	Gain        float64 `json:"gain"`        // E that the seat adds for the person
	Probability float64 `json:"probability"` // of getting the seat, known before the draw

	// With PoolOptions.Exchange: sessions at one's own pace that are attended
	// only beside the seat, and only in its stead. Value and Gain count them.
	With    []Choice `json:"with,omitempty"`
	Without []Choice `json:"without,omitempty"`
}

// Drawn is the outcome of a draw; record it with its pool, from which Draw
// gives the same again.
type Drawn struct {
	Seed    uint64   `json:"seed"`
	Seats   []Choice `json:"seats"`             // who got one
	Waiting []Choice `json:"waiting"`           // and who waits, with the session that was drawn for
	Added   []Choice `json:"added,omitempty"`   // at one's own pace, in exchange
	Dropped []Choice `json:"dropped,omitempty"` //
}
