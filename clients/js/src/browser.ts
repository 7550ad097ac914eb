// What dist/ringline.js is made of: one file for a script element, with the one global Ringline.
import { Ringline } from "./kit.js";
import { defineElements } from "./ui/define.js";

(globalThis as { Ringline?: typeof Ringline }).Ringline = Ringline;
defineElements(); // so that elements that stand in the page are there before init
