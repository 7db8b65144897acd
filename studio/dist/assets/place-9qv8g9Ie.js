import{K as o}from"./index-hqBvw24D.js";const a=o(null);export{a as w};
