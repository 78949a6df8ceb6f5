/** esbuild puts imported style sheets into app.css. */
declare module '*.css';
