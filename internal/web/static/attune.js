// What every page runs. Each page works without it; this makes it kinder.
import "./menus.js";
import "./forms.js";
import "./keys.js";
import "./tables.js";
import "./stream.js";
