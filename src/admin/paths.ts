import type { Entity } from '../entities/entity.ts';

// A segment that names a row is called by the plural name of its entity, as in Kong: `/services/:services/routes/:routes`.

/** `/services` */
export const collectionPath = ({ name, adminApiName = name }: Entity): string => `/${adminApiName}`;

/** `/services/:services` */
export const singlePath = (entity: Entity): string => `${collectionPath(entity)}/:${entity.name}`;

/** `/services/:services/routes`, of routes below services. */
export const nestedPath = (parent: Entity, child: Entity): string => `${singlePath(parent)}/${nestedName(child)}`;

/** The same below one parent, for people to follow: `/services/{id}/routes`. */
export const nestedPathOf = (parent: Entity, id: string, child: Entity): string => `${collectionPath(parent)}/${id}/${nestedName(child)}`;

const nestedName = ({ name, adminApiName = name, adminApiNestedName = adminApiName }: Entity): string => adminApiNestedName;
