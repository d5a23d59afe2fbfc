/** Alpine's build without `eval` has the interface of the ordinary one. */
declare module "@alpinejs/csp" {
  import Alpine from "alpinejs";
  export default Alpine;
}
