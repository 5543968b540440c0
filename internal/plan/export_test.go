package plan

// DrawLots lets tests repeat a draw.
var DrawLots = drawLots
